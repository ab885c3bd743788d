-- What members hand on, so that whoever they send is theirs. Of members who become one, both lead to the kept one.
create table referrals_codes (
    shop_id   uuid        not null,
    code      text        not null,
    member_id uuid        not null,
    made_at   timestamptz not null,
    primary key (shop_id, code)
);
create index referrals_codes_by_member on referrals_codes (shop_id, member_id, made_at);

-- A friend whom a member, the advocate, sent.
create table referrals_referrals (
    shop_id         uuid        not null,
    referral_id     uuid        not null,
    advocate_id     uuid        not null,
    friend_id       uuid        not null,
    -- waiting, pending, completed, lapsed, review or refused.
    state           text        not null,
    -- Why it is looked at, or was refused.
    reason          text,
    -- What was promised: points for both, and what the first order must come to, in minor units of the shop's currency.
    advocate_points bigint      not null,
    friend_points   bigint      not null,
    min_paid        bigint      not null,
    -- Days that the points wait after that order.
    wait_days       bigint      not null,
    -- From when on, and before when, that order is placed.
    sent_at         timestamptz not null,
    until           timestamptz not null,
    -- The order that it is for now.
    order_id        bigint,
    -- When time alone changes where it stands next.
    due_at          timestamptz,
    primary key (shop_id, referral_id)
);
-- A friend is sent once.
create unique index referrals_referrals_by_friend on referrals_referrals (shop_id, friend_id) where state <> 'refused';
create index referrals_referrals_by_advocate on referrals_referrals (shop_id, advocate_id, sent_at);
create index referrals_referrals_of_friend on referrals_referrals (shop_id, friend_id, sent_at);
create index referrals_referrals_due on referrals_referrals (shop_id, due_at) where due_at is not null;
create index referrals_referrals_review on referrals_referrals (shop_id, referral_id) where state = 'review';

-- What became of referrals, and when.
create table referrals_steps (
    shop_id     uuid        not null,
    referral_id uuid        not null,
    step        bigint      not null,
    state       text        not null,
    reason      text,
    at          timestamptz not null,
    primary key (shop_id, referral_id, step)
);
