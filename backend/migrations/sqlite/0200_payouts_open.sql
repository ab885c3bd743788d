-- What a daily look finds of which nothing came.
create index redemptions_payouts_unsettled on redemptions_payouts (shop_id, asked_at)
    where state in ('asked', 'sent', 'unknown');
