"""What the keys of a tool's JSON are called in French."""

from __future__ import annotations

import re

_LABELS = {
    "address": "Adresse", "applies": "S'applique", "bought": "Achat",
    "commercial_guarantee": "Garantie commerciale", "known_from": "D'après",
    "law": "Droits légaux", "more_items": "Autres articles", "source": "Source",
    "why": "Précision",
    "availability": "Disponibilité",
    "care": "Entretien", "carrier": "Transporteur", "category": "Catégorie",
    "city": "Ville", "color": "Couleur", "colors": "Couleurs", "colour": "Couleur",
    "colours": "Couleurs", "component": "Élément", "covered": "Couvert", "days": "Jours",
    "deadline": "Échéance", "delivered": "Livré", "delivered_at": "Livré le",
    "delivered_on": "Livré le", "delivery": "Livraison", "delivery_date": "Date de livraison",
    "delivery_time": "Délai de livraison", "delay": "Délai", "description": "Description",
    "dimensions": "Dimensions", "email": "Courriel", "ends_at": "Fin", "ends_on": "Fin",
    "expires_at": "Fin", "features": "Atouts", "first_answer_hours": "Première réponse (heures)",
    "guarantee": "Garantie", "hours": "Horaires", "in_stock": "En stock", "items": "Articles",
    "legal": "Garantie légale", "material": "Matière", "materials": "Matières",
    "message": "Message", "name": "Nom", "number": "Numéro", "opening_hours": "Horaires",
    "order": "Commande", "order_number": "Commande", "ordered_at": "Commandé le",
    "ordered_on": "Commandé le", "payment": "Paiement", "phone": "Téléphone", "price": "Prix",
    "price_max": "Prix maximum", "price_min": "Prix minimum",
    "priority": "Priorité", "product": "Article", "products": "Articles", "quantity": "Quantité",
    "ref": "Référence", "reference": "Référence", "returns": "Retours", "state": "État",
    "status": "Statut", "stock": "Stock", "summary": "Résumé",
    "ticket": "Dossier", "title": "Titre", "topic": "Sujet", "total": "Total",
    "aujourd_hui": "Aujourd'hui", "categorie": "Catégorie", "delai": "Délai",
    "duree": "Durée", "echeance": "Échéance", "garantie_commerciale": "Garantie commerciale",
    "garantie_legale": "Garantie légale", "jours_feries": "Jours fériés",
    "matieres": "Matières", "numero": "Numéro", "ouvert_maintenant": "Ouvert maintenant",
    "priorite": "Priorité", "prochaine_ouverture": "Prochaine ouverture",
    "retractation": "Rétractation", "telephone": "Téléphone", "under_guarantee": "Sous garantie",
    "until": "Jusqu'au", "warranty": "Garantie",
}  # fmt: skip


def label_of(key: str) -> str:
    """Return "Prix" for "price_eur", "Jours ouvres" for a key nobody translated."""
    bare = re.sub(r"_(?:eur|cents|cm|kg|s|ms)$", "", key)
    return _LABELS.get(bare) or bare.replace("_", " ").strip().capitalize()
