-- Whether it has had its grace: points that a hold frees after their time live on once.
alter table points_lots add column had_grace integer not null default 0;
