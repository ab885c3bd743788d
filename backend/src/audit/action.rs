//! What can be done, by its code. A new action also gets its sentences in `words`.

crate::text_enum! {
    /// What was done.
    pub enum Action {
        /// A member of staff opened the app for the first time.
        StaffJoined = "staff.joined",
        /// A member of staff was given a role, or goes by the shop's default again.
        StaffRoleChanged = "staff.role_changed",
        /// The role of those who were given none has changed.
        StaffDefaultRoleChanged = "staff.default_role_changed",
        /// The session of a member of staff was ended.
        StaffSessionEnded = "staff.session_ended",
        /// Support was let in.
        SupportOpened = "support.opened",
        /// Support asked for something.
        SupportRequest = "support.request",
        /// Support's session was ended.
        SupportClosed = "support.closed",
        /// Whether support may be let in has changed.
        SupportAllowedChanged = "support.allowed_changed",
        /// The languages that the program is offered in have changed.
        LanguagesChanged = "languages.changed",
        /// What is held of a customer was handed out.
        PrivacyExported = "privacy.exported",
        /// Whether e-mail addresses of members are kept has changed.
        PrivacySettingsChanged = "privacy.settings_changed",
        /// The keeping of the merchant's own tags of customers was switched on or off.
        CustomerTagsSwitched = "customer_tags.switched",
        /// Someone looked for members by an e-mail address.
        MembersLookedUp = "members.looked_up",
        /// A file of members was imported.
        MembersImported = "members.imported",
        /// A file of orders from before the app was imported.
        OrdersImported = "orders.imported",
        /// The orders of an import were taken back.
        OrdersTakenBack = "orders.import_reverted",
        /// What an import brought was taken back.
        ImportReverted = "members.import_reverted",
        /// Something that the program needs in Shopify was made or put right there.
        ActivationChanged = "activation.changed",
        /// A member belongs to another tier.
        TierAssigned = "tier.assigned",
        /// Staff set a member's birthday, or took it out.
        BirthdayChanged = "birthday.changed",
        /// Staff had a referral count, or refused it.
        ReferralDecided = "referral.decided",
        /// Staff gave a member points, or took some.
        PointsAdjusted = "points.adjusted",
        /// A member got points for something they did.
        ActionRewarded = "action.rewarded",
        /// Of a reward there are more or fewer than before.
        StockChanged = "stock.changed",
        /// Published accounts are to be compared with the ledger.
        ReconcileAsked = "reconcile.asked",
        /// Customers and orders are to be read from Shopify.
        HistoryAsked = "history.asked",
        /// Members are to be scored anew.
        ScoresAsked = "rfm.asked",
        /// The program's settings were changed.
        ProgramChanged = "program.changed",
        /// Older settings of the program were put back.
        ProgramReverted = "program.reverted",
        /// A group of shops was founded.
        GroupCreated = "group.created",
        /// Another shop was invited.
        GroupInvited = "group.invited",
        /// The shop joined a group.
        GroupJoined = "group.joined",
        /// Another shop used this one's invitation.
        GroupInvitationUsed = "group.invitation_used",
        /// The shop left its group.
        GroupLeft = "group.left",
    }
}
