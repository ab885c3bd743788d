-- The shop's own language, as Shopify says, and the others that its program is offered in, with commas.
alter table merchants_shops
    add column primary_locale text,
    add column languages text not null default '';
