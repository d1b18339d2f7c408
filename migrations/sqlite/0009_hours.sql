-- Roll-ups by the hour of what was received (dimension `hour`, keys 00 to 23): days that were counted without them are
-- counted anew.

insert into report_stale (day, city, ticket, version)
    select distinct day, city, '', 0 from report_day where dimension = 'total' and received > 0
    on conflict (day, city, ticket, version) do nothing;
