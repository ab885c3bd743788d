-- What members hand on, so that whoever they send is theirs. Of members who become one, both lead to the kept one.
create table referrals_codes (
    shop_id   blob    not null,
    code      text    not null,
    member_id blob    not null,
    made_at   integer not null,
    primary key (shop_id, code)
) strict, without rowid;
create index referrals_codes_by_member on referrals_codes (shop_id, member_id, made_at);

-- A friend whom a member, the advocate, sent.
create table referrals_referrals (
    shop_id         blob    not null,
    referral_id     blob    not null,
    advocate_id     blob    not null,
    friend_id       blob    not null,
    -- waiting, pending, completed, lapsed, review or refused.
    state           text    not null,
    -- Why it is looked at, or was refused.
    reason          text,
    -- What was promised: points for both, and what the first order must come to, in minor units of the shop's currency.
    advocate_points integer not null,
    friend_points   integer not null,
    min_paid        integer not null,
    -- Days that the points wait after that order.
    wait_days       integer not null,
    -- From when on, and before when, that order is placed.
    sent_at         integer not null,
    until           integer not null,
    -- The order that it is for now.
    order_id        integer,
    -- When time alone changes where it stands next.
    due_at          integer,
    primary key (shop_id, referral_id)
) strict, without rowid;
-- A friend is sent once.
create unique index referrals_referrals_by_friend on referrals_referrals (shop_id, friend_id) where state <> 'refused';
create index referrals_referrals_by_advocate on referrals_referrals (shop_id, advocate_id, sent_at);
create index referrals_referrals_of_friend on referrals_referrals (shop_id, friend_id, sent_at);
create index referrals_referrals_due on referrals_referrals (shop_id, due_at) where due_at is not null;
create index referrals_referrals_review on referrals_referrals (shop_id, referral_id) where state = 'review';

-- What became of referrals, and when.
create table referrals_steps (
    shop_id     blob    not null,
    referral_id blob    not null,
    step        integer not null,
    state       text    not null,
    reason      text,
    at          integer not null,
    primary key (shop_id, referral_id, step)
) strict, without rowid;
