//! Sentences about entries, in every language that the log is read in.
//!
//! A table and `{places}` are enough: the sentences have ids, codes and settings in them, nothing that would have to be
//! counted or inflected, and the compiler says when an action lacks a language.

use serde_json::Value;

use super::store::Entry;
use super::{Action, ActorKind};
use crate::languages::{Tongue, filled};

/// English, German, French. `{who}`, `{target}`, `{before.x}` and `{after.x}` are filled in.
fn template(action: Action) -> [&'static str; 3] {
    match action {
        Action::StaffJoined => [
            "Staff member {target} opened the app for the first time.",
            "Teammitglied {target} hat die App zum ersten Mal geöffnet.",
            "Le membre du personnel {target} a ouvert l’application pour la première fois.",
        ],
        Action::StaffRoleChanged => [
            "{who} changed the role of staff member {target} from {before.role} to {after.role}.",
            "{who} hat die Rolle von Teammitglied {target} von {before.role} zu {after.role} geändert.",
            "{who} a changé le rôle du membre du personnel {target} de {before.role} à {after.role}.",
        ],
        Action::StaffDefaultRoleChanged => [
            "{who} changed the role of new staff from {before.role} to {after.role}.",
            "{who} hat die Rolle neuer Teammitglieder von {before.role} zu {after.role} geändert.",
            "{who} a changé le rôle du nouveau personnel de {before.role} à {after.role}.",
        ],
        Action::StaffSessionEnded => [
            "{who} ended the session of staff member {target}.",
            "{who} hat die Sitzung von Teammitglied {target} beendet.",
            "{who} a mis fin à la session du membre du personnel {target}.",
        ],
        Action::SupportOpened => [
            "{who} was let in until {after.until}: {after.reason}",
            "{who} hat Zugang bis {after.until}: {after.reason}",
            "{who} a accès jusqu’à {after.until} : {after.reason}",
        ],
        Action::SupportRequest => [
            "{who} asked for {target} and was answered with {after.status}.",
            "{who} hat {target} aufgerufen und die Antwort {after.status} erhalten.",
            "{who} a demandé {target} et a reçu la réponse {after.status}.",
        ],
        Action::SupportClosed => [
            "{who} ended the support session {target}.",
            "{who} hat die Support-Sitzung {target} beendet.",
            "{who} a mis fin à la session d’assistance {target}.",
        ],
        Action::SupportAllowedChanged => [
            "{who} changed whether support may be let in from {before.allowed} to {after.allowed}.",
            "{who} hat den Zugang für den Support von {before.allowed} zu {after.allowed} geändert.",
            "{who} a changé l’accès de l’assistance de {before.allowed} à {after.allowed}.",
        ],
        Action::LanguagesChanged => [
            "{who} changed the languages from {before.languages} to {after.languages}.",
            "{who} hat die Sprachen von {before.languages} zu {after.languages} geändert.",
            "{who} a changé les langues de {before.languages} à {after.languages}.",
        ],
        Action::PrivacyExported => [
            "{who} downloaded what is held of a customer (request {target}).",
            "{who} hat heruntergeladen, was über einen Kunden gespeichert ist (Anfrage {target}).",
            "{who} a téléchargé les données conservées d’un client (demande {target}).",
        ],
        Action::PrivacySettingsChanged => [
            "{who} changed whether e-mail addresses of members are kept from {before.keep_emails} to {after.keep_emails}.",
            "{who} hat das Speichern der E-Mail-Adressen von Mitgliedern von {before.keep_emails} zu {after.keep_emails} geändert.",
            "{who} a changé la conservation des adresses e-mail des membres de {before.keep_emails} à {after.keep_emails}.",
        ],
        Action::CustomerTagsSwitched => [
            "{who} changed whether the shop’s own tags of customers are kept from {before.keep} to {after.keep}.",
            "{who} hat das Speichern der eigenen Kunden-Tags des Shops von {before.keep} zu {after.keep} geändert.",
            "{who} a changé la conservation des balises de clients de la boutique de {before.keep} à {after.keep}.",
        ],
        Action::MembersLookedUp => [
            "{who} looked for members by an e-mail address and found: {after.found}.",
            "{who} hat Mitglieder anhand einer E-Mail-Adresse gesucht und gefunden: {after.found}.",
            "{who} a cherché des membres par une adresse e-mail et a trouvé : {after.found}.",
        ],
        Action::MembersImported => [
            "{who} imported a file of members (batch {target}): {after.imported} imported, {after.refused} refused, {after.points} points.",
            "{who} hat eine Mitgliederdatei importiert (Stapel {target}): {after.imported} importiert, {after.refused} abgelehnt, {after.points} Punkte.",
            "{who} a importé un fichier de membres (lot {target}) : {after.imported} importés, {after.refused} refusés, {after.points} points.",
        ],
        Action::OrdersImported => [
            "{who} imported a file of orders (batch {target}): {after.imported} imported, {after.refused} refused.",
            "{who} hat eine Bestelldatei importiert (Stapel {target}): {after.imported} importiert, {after.refused} abgelehnt.",
            "{who} a importé un fichier de commandes (lot {target}) : {after.imported} importées, {after.refused} refusées.",
        ],
        Action::OrdersTakenBack => [
            "{who} took back the orders of the import {target}: {after.taken_back}.",
            "{who} hat die Bestellungen des Imports {target} zurückgenommen: {after.taken_back}.",
            "{who} a annulé les commandes de l’importation {target} : {after.taken_back}.",
        ],
        Action::ImportReverted => [
            "{who} took back the import {target}: {after.taken_back} points; members keep {after.left_alone} that they had spent.",
            "{who} hat den Import {target} zurückgenommen: {after.taken_back} Punkte; {after.left_alone} schon ausgegebene behalten die Mitglieder.",
            "{who} a annulé l’importation {target} : {after.taken_back} points ; les membres gardent {after.left_alone} points déjà dépensés.",
        ],
        Action::ActivationChanged => [
            "{who} activated {target}: it was {before.code}, it is {after.code}.",
            "{who} hat {target} aktiviert: vorher {before.code}, jetzt {after.code}.",
            "{who} a activé {target} : avant {before.code}, maintenant {after.code}.",
        ],
        Action::BirthdayChanged => [
            "{who} changed the birthday of member {target}.",
            "{who} hat den Geburtstag von Mitglied {target} geändert.",
            "{who} a changé l’anniversaire du membre {target}.",
        ],
        Action::ReferralDecided => [
            "{who} decided on the referral {target}: it was {before.state}, it is {after.state}.",
            "{who} hat über die Empfehlung {target} entschieden: vorher {before.state}, jetzt {after.state}.",
            "{who} a décidé du parrainage {target} : avant {before.state}, maintenant {after.state}.",
        ],
        Action::TierAssigned => [
            "{who} changed the tier of member {target} from {before.tier} to {after.tier}.",
            "{who} hat die Stufe von Mitglied {target} von {before.tier} zu {after.tier} geändert.",
            "{who} a changé le niveau du membre {target} de {before.tier} à {after.tier}.",
        ],
        Action::PointsAdjusted => [
            "{who} changed the points of member {target} by {after.change}, from {before.points} to {after.points} ({after.reason}).",
            "{who} hat die Punkte von Mitglied {target} um {after.change} geändert, von {before.points} auf {after.points} ({after.reason}).",
            "{who} a modifié les points du membre {target} de {after.change}, de {before.points} à {after.points} ({after.reason}).",
        ],
        Action::ActionRewarded => [
            "{who} gave member {target} {after.points} points for {after.action}.",
            "{who} hat Mitglied {target} {after.points} Punkte für {after.action} gegeben.",
            "{who} a donné {after.points} points au membre {target} pour {after.action}.",
        ],
        Action::StockChanged => [
            "{who} changed the stock of reward {target} from {before.stock} to {after.stock}.",
            "{who} hat den Bestand der Prämie {target} von {before.stock} auf {after.stock} geändert.",
            "{who} a modifié le stock de la récompense {target} de {before.stock} à {after.stock}.",
        ],
        Action::ReconcileAsked => [
            "{who} had all metafields compared with the ledger (run {target}).",
            "{who} hat alle Metafelder mit dem Hauptbuch vergleichen lassen (Lauf {target}).",
            "{who} a fait comparer tous les métachamps avec le grand livre (exécution {target}).",
        ],
        Action::HistoryAsked => [
            "{who} had all customers and orders read from Shopify.",
            "{who} hat alle Kunden und Bestellungen aus Shopify lesen lassen.",
            "{who} a fait lire tous les clients et toutes les commandes chez Shopify.",
        ],
        Action::ScoresAsked => [
            "{who} asked for members to be scored anew.",
            "{who} hat die Mitglieder neu bewerten lassen.",
            "{who} a demandé une nouvelle notation des membres.",
        ],
        Action::ProgramChanged => [
            "{who} changed the program's settings: version {before.version} became {after.version}.",
            "{who} hat die Einstellungen des Programms geändert: aus Version {before.version} wurde {after.version}.",
            "{who} a changé les réglages du programme : la version {before.version} est devenue {after.version}.",
        ],
        Action::ProgramReverted => [
            "{who} put older settings of the program back: version {before.version} became {after.version}.",
            "{who} hat ältere Einstellungen des Programms zurückgeholt: aus Version {before.version} wurde {after.version}.",
            "{who} a rétabli d’anciens réglages du programme : la version {before.version} est devenue {after.version}.",
        ],
        Action::GroupCreated => [
            "{who} founded a group of shops.",
            "{who} hat eine Gruppe von Shops gegründet.",
            "{who} a créé un groupe de boutiques.",
        ],
        Action::GroupInvited => [
            "{who} made an invitation to the group, good until {after.until}.",
            "{who} hat eine Einladung zur Gruppe erstellt, gültig bis {after.until}.",
            "{who} a créé une invitation au groupe, valable jusqu’à {after.until}.",
        ],
        Action::GroupJoined => [
            "{who} joined a group of shops.",
            "{who} ist einer Gruppe von Shops beigetreten.",
            "{who} a rejoint un groupe de boutiques.",
        ],
        Action::GroupInvitationUsed => [
            "{target} joined the group with an invitation of this shop.",
            "{target} ist der Gruppe mit einer Einladung dieses Shops beigetreten.",
            "{target} a rejoint le groupe avec une invitation de cette boutique.",
        ],
        Action::GroupLeft => [
            "{who} left the group of shops.",
            "{who} hat die Gruppe von Shops verlassen.",
            "{who} a quitté le groupe de boutiques.",
        ],
    }
}

/// The sentence about an entry. Of an action that only a newer program knows, its code.
pub(super) fn sentence(tongue: Tongue, entry: &Entry) -> String {
    let Some(action) = Action::parse(&entry.action) else { return entry.action.clone() };
    filled(tongue.of_three(template(action)), |place| match place.split_once('.') {
        None if place == "who" => who(tongue, entry),
        None => entry.target.clone().unwrap_or_else(none),
        Some(("before", name)) => shown(entry.before.as_ref().map(|before| &before.0[name])),
        Some((_, name)) => shown(entry.after.as_ref().map(|after| &after.0[name])),
    })
}

fn who(tongue: Tongue, entry: &Entry) -> String {
    let id = entry.actor_id.as_deref().unwrap_or("?");
    let operator = entry.operator.as_deref().unwrap_or("?");
    match entry.actor_kind {
        ActorKind::User => tongue.of_three([
            format!("Staff member {id}"),
            format!("Teammitglied {id}"),
            format!("Le membre du personnel {id}"),
        ]),
        ActorKind::Support => tongue.of_three([
            format!("Support ({operator})"),
            format!("Support ({operator})"),
            format!("L’assistance ({operator})"),
        ]),
        ActorKind::Api => {
            tongue.of_three([format!("Program {id}"), format!("Programm {id}"), format!("Le programme {id}")])
        }
        ActorKind::System => tongue.of_three(["The system", "Das System", "Le système"]).to_owned(),
        ActorKind::Cli => tongue.of_three(["The operator", "Der Betreiber", "L’exploitant"]).to_owned(),
    }
}

fn none() -> String {
    "–".to_owned()
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => none(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(all)) => all.iter().map(|value| shown(Some(value))).collect::<Vec<_>>().join(", "),
        Some(value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sqlx::types::Json;
    use uuid::Uuid;

    use super::*;
    use crate::db::Timestamp;

    fn entry(action: &str) -> Entry {
        Entry {
            entry_id: Uuid::nil(),
            at: Timestamp::UNIX_EPOCH,
            actor_kind: ActorKind::User,
            actor_id: Some("42".into()),
            operator: None,
            action: action.into(),
            target: Some("43".into()),
            before: Some(Json(json!({"role": null}))),
            after: Some(Json(json!({"role": "{who} {target}"}))),
            request_id: None,
        }
    }

    #[test]
    fn a_sentence_names_who_did_what_in_each_language() {
        let said = |tongue| sentence(tongue, &entry("staff.session_ended"));
        assert_eq!(said(Tongue::En), "Staff member 42 ended the session of staff member 43.");
        assert_eq!(said(Tongue::De), "Teammitglied 42 hat die Sitzung von Teammitglied 43 beendet.");
        assert_eq!(
            said(Tongue::Fr),
            "Le membre du personnel 42 a mis fin à la session du membre du personnel 43."
        );
    }

    #[test]
    fn what_is_filled_in_is_not_filled_in_again_and_what_is_missing_shows_as_a_dash() {
        let said = sentence(Tongue::En, &entry("staff.role_changed"));
        assert_eq!(said, "Staff member 42 changed the role of staff member 43 from – to {who} {target}.");
        let bare = Entry { target: None, before: None, after: None, ..entry("languages.changed") };
        assert_eq!(sentence(Tongue::En, &bare), "Staff member 42 changed the languages from – to –.");
    }

    #[test]
    fn an_action_of_a_newer_program_shows_its_code() {
        assert_eq!(sentence(Tongue::De, &entry("moon.landed")), "moon.landed");
    }
}
