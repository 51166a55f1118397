"""The sentences of the local assistant."""

from __future__ import annotations

UNKNOWN_NAME = (
    "Je ne connais pas encore votre prénom : vous ne me l'avez pas dit dans cette conversation. "
    "Comment vous appelez-vous ?"
)
GREETING = (
    "je suis l'assistant de Meuble de France. Un canapé à choisir, une commande à suivre, une "
    "question sur la livraison ou la garantie : dites-moi ce qui vous amène !"
)
NICE_TO_MEET = (
    "quel plaisir de faire votre connaissance ! Que puis-je faire pour vous aujourd'hui : choisir "
    "un meuble, suivre une commande, répondre à une question sur la livraison ?"
)
FOREIGN_GREETINGS = {
    "en": "Hello{name}! Welcome to Meuble de France. How can I help you with your furniture today?",
    "de": "Guten Tag{name}! Willkommen bei Meuble de France. Wie kann ich Ihnen helfen?",
    "it": "Buongiorno{name}! Benvenuti da Meuble de France. Come posso aiutarvi?",
    "ar": "مرحبًا بكم في Meuble de France! كيف يمكنني مساعدتكم اليوم؟",
}
PRODUCT = """\
{article} **{noun}**, belle idée ! Pour vous proposer ce qui vous ira vraiment, dites-moi :

- la **pièce** et la place dont vous disposez,
- les **matières et couleurs** que vous aimez,
- le **budget** que vous souhaitez y consacrer.

Je chercherai ensuite dans notre catalogue."""
DETAILS = (
    "Pour {what}, je peux vous donner les dimensions, les matières et le prix dès que le catalogue "
    "est à ma portée. Donnez-moi la **référence** (par exemple `SAL-CAP-001`) et je regarde."
)
ORDER_KNOWN = (
    "Je note votre commande **{number}**. Je ne peux pas consulter son suivi d'ici : un conseiller "
    "du magasin pourra vous dire où elle en est. Y a-t-il autre chose que je puisse éclaircir ?"
)
ORDER_UNKNOWN = (
    "Je m'en occupe volontiers. Quel est votre **numéro de commande** ? Il ressemble à "
    "`CMD-2025-54321` et figure sur votre facture et dans le courriel de confirmation."
)
DAMAGE = "Je comprends, et j'en suis désolé : votre meuble devrait vous donner satisfaction. "
DAMAGE_KNOWN = (
    "J'ai bien votre numéro de commande **{number}**. Décrivez-moi le problème en une phrase et "
    "préparez, si possible, **trois photos** : une vue d'ensemble et deux de près."
)
DAMAGE_UNKNOWN = (
    "Pour que le service après-vente s'en charge, il me faut :\n\n"
    "1. votre **numéro de commande** (il ressemble à `CMD-2025-54321`),\n"
    "2. une description du problème,\n"
    "3. si possible, **trois photos**."
)
TICKET_KNOWN = (
    "Je note votre dossier **{reference}**. Je ne peux pas en lire l'avancement d'ici ; un "
    "conseiller vous répondra avec plaisir."
)
TICKET_UNKNOWN = (
    "Pour retrouver votre dossier, j'ai besoin de son **numéro**, ou de votre numéro de commande "
    "(il ressemble à `CMD-2025-54321`)."
)
RETURNS = """\
Pour un achat à distance, la loi vous donne **14 jours** après la livraison pour changer d'avis, \
sans avoir à vous justifier.

- Le meuble doit être rendu complet, de préférence dans son emballage.
- Les meubles faits **sur mesure** ne peuvent pas être repris.

Souhaitez-vous commencer un retour ? Donnez-moi votre numéro de commande."""
GUARANTEE = """\
Nos meubles sont garantis à partir de la livraison :

- **structure** : 5 ans,
- **mécanismes** : 3 ans,
- **tissus** : 2 ans, hors taches, accrocs et brûlures,
- **coussins** : 2 ans, hors taches.

La **garantie légale de conformité** de 2 ans s'applique dans tous les cas. Pour vérifier la \
vôtre, donnez-moi votre numéro de commande."""
DELIVERY = (
    "Nous livrons à domicile, dans la pièce de votre choix, et l'heure vous est confirmée avant le "
    "passage des livreurs. Le **délai** dépend du meuble : il figure sur sa fiche. De quel article "
    "s'agit-il, et pour quelle ville ?"
)
HOURS = (
    "Nos **horaires** du jour sont affichés sur notre site et à l'entrée du magasin. Quel jour "
    "pensez-vous venir nous voir ?"
)
ADDRESS = (
    "Nous serons heureux de vous accueillir ! L'**adresse** et le plan d'accès du magasin sont sur "
    "notre site. Que viendrez-vous voir ?"
)
PAYMENT = (
    "Vous pouvez régler **par carte** ou en **plusieurs fois** selon le montant ; un conseiller "
    "vous détaille les conditions avant tout engagement. De quel achat s'agit-il ?"
)
HUMAN = (
    "Bien sûr, rien ne vaut une vraie conversation. Je ne peux pas prévenir un **conseiller** "
    "d'ici, mais l'équipe du magasin vous répondra avec plaisir. Puis-je vous aider à préparer "
    "votre question ?"
)
DANGER = (
    "**N'utilisez plus ce meuble** et tenez-en tout le monde à l'écart ; pour une blessure ou un "
    "feu, appelez d'abord les secours, au 112."
)
ANGER = (
    "Je comprends votre mécontentement, et je suis sincèrement désolé. Dites-moi ce qui s'est "
    "passé, ou votre numéro de commande : je fais tout pour vous aider."
)
LAW = """\
La loi vous protège, en plus de la garantie du magasin :

- **conformité** : 2 ans à compter de la livraison,
- **vices cachés** : 2 ans après leur découverte,
- **rétractation** : 14 jours pour un achat à distance,
- **médiation** : gratuite, après une réclamation écrite.

Donnez-moi votre numéro de commande pour vérifier vos droits."""
ORDERS = (
    "Je suis l'assistant d'un magasin de meubles : je garde mes consignes pour moi et je n'en suis "
    "pas d'autres. Un meuble, une commande ou une garantie, en revanche, c'est avec plaisir !"
)
ROBOT = (
    "Je suis une **intelligence artificielle**, l'assistant en ligne de Meuble de France. Si vous "
    "préférez un être humain, dites-le-moi : je préviens l'équipe du magasin."
)
DISCOUNT = (
    "Je ne peux accorder aucun avantage sur les prix : ceux du catalogue sont les nôtres, et un "
    "conseiller du magasin pourra vous dire s'il existe une offre. Quel meuble vous intéresse ?"
)
PHOTOS = (
    "Vous pouvez joindre vos **photos** ici, avec le bouton à côté du message. Dites-moi aussi de "
    "quel meuble il s'agit et ce qui s'est passé."
)
OFF_TOPIC = (
    "Ce n'est pas de mon ressort : je ne parle que de meubles, de commandes et de service "
    "après-vente. Puis-je vous aider à choisir un meuble, ou à suivre une commande ?"
)
DOOR = (
    "Je vérifie volontiers ce qui passe par votre porte. De quel **meuble** s'agit-il ? Donnez-moi "
    "son nom ou sa référence (par exemple `SAL-CAP-001`)."
)
#: What comes before the results of a tool, by intent.
OPENINGS = {"danger": DANGER, "anger": "Je comprends votre mécontentement, et j'en suis désolé."}
AFTER_THANKS = "N'hésitez pas si une autre question vous vient."
AFTER_GOODBYE = "et à très bientôt chez Meuble de France !"
YES = "Très bien ! Dites-m'en un peu plus pour que je vous guide : de quel meuble s'agit-il ?"
NO = "D'accord, je n'en fais rien. Souhaitez-vous que nous regardions autre chose ?"
NOTHING_SAID = (
    "Je suis à votre écoute. Parlez-moi du meuble que vous cherchez ou de la commande qui vous "
    "préoccupe, et je vous aide de mon mieux."
)
REFLECTIONS = (
    "J'ai bien noté votre message au sujet de « {topic} ». Pouvez-vous m'en dire un peu plus ? Je "
    "peux vous aider à choisir un meuble, suivre une commande ou joindre un conseiller.",
    "Vous me parlez de « {topic} » : voyons cela ensemble. S'agit-il d'un meuble que vous "
    "cherchez, ou d'un achat déjà fait chez nous ?",
    "« {topic} », c'est noté. Pour bien vous répondre, précisez-moi ce que vous attendez : un "
    "conseil, une information sur une commande, ou l'aide d'un conseiller ?",
)
TABLE = """\
Voici un tableau pour comparer les **revêtements** les plus demandés :

| Matière | Toucher | Entretien | Idéal pour |
|---|---|---|---|
| Velours | très doux | brosse souple, aspirateur | un salon chaleureux |
| Lin | naturel, frais | housse déhoussable | une maison de vacances |
| Cuir | lisse | chiffon humide, lait nourrissant | un usage quotidien |
| Tissu technique | souple | eau savonneuse | une famille avec enfants |

Dites-moi laquelle vous tente, et je vous aide à choisir le meuble qui va avec."""
LONG_TEXT = """\
Avec plaisir : voici comment nous aimons choisir un meuble chez Meuble de France.

Tout commence par **la pièce**. Avant de penser à un modèle, mesurez le mur, la largeur des \
portes et le passage qui doit rester libre autour du meuble. Soixante-dix centimètres suffisent \
pour circuler devant un canapé, un mètre est plus confortable autour d'une table. Pensez aussi à \
la lumière : un tissu clair agrandit une pièce sombre, une teinte profonde donne du caractère à \
un salon très lumineux.

Vient ensuite **l'usage**. Un canapé de tous les jours demande une assise ferme et un revêtement \
qui s'entretient facilement ; un fauteuil de lecture peut être plus enveloppant. Pour une table, \
comptez soixante centimètres par convive, et une rallonge si vous recevez souvent. Un lit se \
choisit avec son sommier et son matelas : ce sont eux qui font vos nuits.

Parlons enfin de **la matière**. Le chêne massif se patine et se répare ; le noyer réchauffe une \
pièce moderne ; un placage soigné reste léger et abordable. Demandez toujours comment un meuble \
est assemblé : un tiroir à queue d'aronde, une structure en bois massif ou des ressorts ensachés \
se remarquent encore au bout de quinze ans.

Et quand le meuble est chez vous, un chiffon doux, un peu de cire une fois par an et des patins \
sous les pieds suffisent le plus souvent. Voulez-vous que nous commencions par votre salon, \
votre salle à manger ou votre chambre ?"""
FOUND = "Voici ce que j'ai trouvé :"
TOOL_LOOKUP_FAILED = "Je n'ai pas pu obtenir cette information : {reason}"
NOTHING_FOUND = (
    "Je n'ai rien trouvé qui corresponde. Voulez-vous élargir la recherche, par exemple avec une "
    "autre matière ou un autre budget ?"
)
ANYTHING_ELSE = "Puis-je vous aider pour autre chose ?"
FAULT_UNKNOWN = (
    "Je ne comprends pas la directive {names}. Les pannes que je sais imiter : {known}. Par "
    "exemple `[[panne:coupure apres=5]]`."
)
