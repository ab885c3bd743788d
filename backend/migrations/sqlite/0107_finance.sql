-- What was booked in a time: reports read months.
create index points_entries_by_time on points_entries (shop_id, booked_at);
