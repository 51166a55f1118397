/** What is said about photos, in French. The server's own refusals come from chat/core/errors.py. */

export const WORDS = {
  list: "Vos photos",
  privacy: "Le magasin les voit, l’assistant (IA) aussi s’il en est capable. Le lieu de prise de vue est retiré.",
  hint: "Déposez ou collez des photos ici : 5 au plus, de 10 Mo au plus.",
  waiting: "En attente…",
  checking: "Vérification…",
  attached: "Jointe au dossier",
  cancel: "Annuler",
  retry: "Réessayer",
  remove: "Retirer",
  added: "Photo ajoutée.",
  removed: "Photo retirée.",
  cancelled: "Envoi annulé.",
  tooLarge: "Cette photo dépasse 10 Mo.",
  empty: "Ce fichier est vide.",
  notAPhoto: "Ce fichier n’est pas une photo JPEG, PNG, WebP ou HEIC.",
  tooMany: "Cinq photos au plus par conversation.",
  offline: "La photo n’est pas partie : vérifiez la connexion, puis réessayez.",
  failed: "La photo n’est pas partie. Réessayez dans un instant.",
  listAway: "Vos photos ne peuvent pas être affichées pour le moment.",
};

/** @param {number} share from 0 to 1 */
export function percent(share) {
  return `${Math.floor(share * 100)} %`;
}

export function nameOf(number) {
  return `Photo ${number}`;
}
