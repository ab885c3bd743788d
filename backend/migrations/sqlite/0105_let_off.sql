-- What the program bears of a redemption that stands again, after the member has spent what had come back.
alter table redemptions_uses add column let_off integer not null default 0;
