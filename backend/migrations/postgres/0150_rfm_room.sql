-- Each order and each night writes a row of these anew: beside the old one where there is room, else into every index, too.
alter table rfm_members set (fillfactor = 50);
