-- Each thing that happens to a lead writes its row again. With room left in the page the new version
-- stays there and no index hears of it, unless what it indexes has changed; without, all of them do.
ALTER TABLE lead SET (fillfactor = 50);
-- A point's row is there before it is known whose it is (0001): it is written twice.
ALTER TABLE contact_point SET (fillfactor = 50);
