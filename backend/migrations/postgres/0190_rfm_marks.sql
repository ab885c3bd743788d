-- Since when refreshes have changed segments whose metafields are not marked; null when all of them are, or will be.
alter table rfm_shops add column unmarked_since timestamptz;
