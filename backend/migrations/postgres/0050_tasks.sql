-- Work to be done once, at its time, by any worker: the job queue.
create table tasks (
    -- Whose it is; the nil uuid where it is the installation's own.
    shop_id    uuid        not null,
    -- Ours; a later push has a greater one.
    task_id    uuid        not null,
    -- What is to be done, e.g. `inbox.clean_up`.
    kind       text        not null,
    -- What makes pushing it again the same task.
    key        text        not null,
    -- Ids and numbers, never personal data.
    payload    jsonb       not null,
    -- The greater comes first.
    priority   bigint      not null,
    -- When it is to be done.
    run_at     timestamptz not null,
    -- When a worker may take it: at first its time, then its next try, or the end of the lease.
    due_at     timestamptz not null,
    state      text        not null check (state in ('ready', 'done', 'dead')),
    -- How often a worker took it.
    attempts   bigint      not null default 0,
    -- Why it failed last. Never personal data.
    reason     text,
    -- Who works on it. Taking it writes a new token; an outcome is committed only if its token still stands here.
    token      uuid,
    created_at timestamptz not null,
    settled_at timestamptz,
    primary key (shop_id, task_id),
    unique (shop_id, kind, key)
);

create index tasks_ready on tasks (priority desc, due_at, task_id) where state = 'ready';
create index tasks_dead on tasks (shop_id, task_id) where state = 'dead';
create index tasks_settled on tasks (settled_at) where settled_at is not null;
-- For the operator's page, which shows all shops' together.
create index tasks_newest on tasks (task_id);
