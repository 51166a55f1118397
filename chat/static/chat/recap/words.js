/** What the recap says, in French. What is wrong with a field comes from the server. */

export const WORDS = {
  title: "Votre demande, à vérifier",
  note: "Rien n’est enregistré avant que vous ne validiez.",
  confirm: "Valider",
  confirming: "Enregistrement…",
  edit: "Modifier",
  drop: "Abandonner",
  save: "Enregistrer les modifications",
  cancel: "Annuler",
  shown: "Le récapitulatif de votre demande est affiché, à vérifier.",
  updated: "Le récapitulatif a été mis à jour.",
  dropped: "La demande est abandonnée.",
};
