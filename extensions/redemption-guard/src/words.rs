//! What the buyer reads: what stands in the way, and what they can do about it.

use loyalty::Terms;
use loyalty::redemption::Obstacle;

/// The sentence in a language, by its ISO code; in English where there is none in that language.
pub fn sentence(language: &str, terms: &Terms, obstacle: Obstacle) -> String {
    let label = &terms.label;
    let currency = terms.currency.code();
    match (language, obstacle) {
        ("DE", Obstacle::Currency) => format!(
            "„{label}“ gilt für eine Bestellung in {currency}. Ändere die Währung, oder nimm die Prämie aus dem Warenkorb."
        ),
        ("DE", Obstacle::Minimum(min)) => format!(
            "„{label}“ gilt ab einem Bestellwert von {min} {currency}. Lege noch etwas in den Warenkorb, oder nimm die Prämie heraus."
        ),
        ("DE", Obstacle::Nothing) => format!(
            "„{label}“ gilt nicht für Geschenkgutscheine. Lege noch etwas in den Warenkorb, oder nimm die Prämie heraus."
        ),
        ("DE", Obstacle::Product) => format!(
            "Das Produkt zu „{label}“ fehlt im Warenkorb. Lege es hinein, oder nimm die Prämie heraus."
        ),
        ("FR", Obstacle::Currency) => format!(
            "« {label} » vaut pour une commande en {currency}. Changez de devise ou retirez la récompense du panier."
        ),
        ("FR", Obstacle::Minimum(min)) => format!(
            "« {label} » demande une commande d’au moins {min} {currency}. Complétez le panier ou retirez-en la récompense."
        ),
        ("FR", Obstacle::Nothing) => format!(
            "« {label} » ne vaut pas pour les cartes-cadeaux. Complétez le panier ou retirez-en la récompense."
        ),
        ("FR", Obstacle::Product) => format!(
            "Le produit de « {label} » n’est pas dans le panier. Ajoutez-le ou retirez la récompense."
        ),
        (_, Obstacle::Currency) => format!(
            "“{label}” is for an order in {currency}. Change the currency, or take the reward out of your cart."
        ),
        (_, Obstacle::Minimum(min)) => format!(
            "“{label}” needs an order of at least {min} {currency}. Add something to your cart, or take the reward out of it."
        ),
        (_, Obstacle::Nothing) => format!(
            "“{label}” takes nothing off gift cards. Add something else to your cart, or take the reward out of it."
        ),
        (_, Obstacle::Product) => format!(
            "The product of “{label}” is not in your cart. Add it, or take the reward out of your cart."
        ),
    }
}
