-- PostgreSQL leaves room beside rows that are written often; SQLite writes them where they are.
select 1;
