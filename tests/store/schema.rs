//! Both databases hold the same tables, columns and indexes.

use crate::fixture::Fixture;

const SQLITE_COLUMNS: &str = "\
    select t.name || '.' || c.name || ' ' || lower(c.type) || case when c.\"notnull\" = 1 then ' not null' else '' end \
    from sqlite_master t join pragma_table_info(t.name) c \
    where t.type = 'table' and t.name not like '\\_sqlx%' escape '\\' and t.name not like 'sqlite%' \
    order by t.name, c.cid";

const POSTGRES_COLUMNS: &str = "\
    select table_name || '.' || column_name || ' ' || data_type || \
        case when is_nullable = 'NO' then ' not null' else '' end \
    from information_schema.columns where table_schema = 'public' and table_name not like '\\_sqlx%' \
    order by table_name, ordinal_position";

/// Named indexes; keys and references come after.
const SQLITE_INDEXES: &str = "\
    select lower(sql) from sqlite_master where type = 'index' and sql is not null";

const POSTGRES_INDEXES: &str = "\
    select lower(indexdef) from pg_indexes where schemaname = 'public' and tablename not like '\\_sqlx%' \
    and indexname not like '%\\_key' and indexname not like '%\\_pkey'";

const SQLITE_KEYS: &str = "\
    select t.name || case l.origin when 'pk' then ' key (' else ' unique (' end || \
        (select group_concat(name, ', ') from (select name from pragma_index_info(l.name) order by seqno)) || ')' \
    from sqlite_master t join pragma_index_list(t.name) l \
    where t.type = 'table' and t.name not like '\\_sqlx%' escape '\\' and l.origin in ('pk', 'u')";

const POSTGRES_KEYS: &str = "\
    select conrelid::regclass::text || case contype when 'p' then ' key (' else ' unique (' end || \
        (select string_agg(a.attname, ', ' order by k.ordinality) from unnest(conkey) with ordinality k(attnum, ordinality) \
         join pg_attribute a on a.attrelid = conrelid and a.attnum = k.attnum) || ')' \
    from pg_constraint where connamespace = 'public'::regnamespace and contype in ('p', 'u') \
    and conrelid::regclass::text not like '\\_sqlx%'";

const SQLITE_REFERENCES: &str = "\
    select t.name || '.' || f.\"from\" || ' references ' || f.\"table\" || '.' || f.\"to\" \
    from sqlite_master t join pragma_foreign_key_list(t.name) f where t.type = 'table'";

const POSTGRES_REFERENCES: &str = "\
    select conrelid::regclass::text || '.' || a.attname || ' references ' || confrelid::regclass::text || '.' || b.attname \
    from pg_constraint join pg_attribute a on a.attrelid = conrelid and a.attnum = conkey[1] \
    join pg_attribute b on b.attrelid = confrelid and b.attnum = confkey[1] \
    where contype = 'f'";

#[tokio::test]
async fn sqlite_has_the_schema() {
    let fixture = Fixture::sqlite_file().await;
    let schema = schema(&fixture, [SQLITE_COLUMNS, SQLITE_INDEXES, SQLITE_KEYS, SQLITE_REFERENCES]).await;
    insta::assert_snapshot!("schema", schema);
}

#[tokio::test]
async fn postgres_has_the_same_schema() {
    let fixture = Fixture::postgres().await;
    let schema = schema(&fixture, [POSTGRES_COLUMNS, POSTGRES_INDEXES, POSTGRES_KEYS, POSTGRES_REFERENCES]).await;
    insta::assert_snapshot!("schema", schema);
}

#[tokio::test]
async fn a_fill_leaves_every_index_that_it_found() {
    for (fixture, indexes) in
        [(Fixture::sqlite_file().await, SQLITE_INDEXES), (Fixture::postgres().await, POSTGRES_INDEXES)]
    {
        let sorted = || async {
            let mut rows = fixture.rows(indexes).await;
            rows.sort();
            rows
        };
        let found = sorted().await;
        let bulk = fixture.store.bulk().await.expect("a fresh database");
        let kept = sorted().await;
        assert!(kept.len() + 20 < found.len(), "those of tickets are kept up: {kept:?}");
        bulk.finish(|_, _| {}).await.expect("finished");
        assert_eq!(sorted().await, found);
    }
}

async fn schema(fixture: &Fixture, queries: [&str; 4]) -> String {
    let mut lines = Vec::new();
    for (at, query) in queries.into_iter().enumerate() {
        let mut part: Vec<String> = fixture.rows(query).await.iter().map(|line| one_spelling(line)).collect();
        if at > 0 {
            part.sort(); // columns have an order of their own
        }
        lines.extend(part);
    }
    lines.join("\n")
}

/// The databases' own ways to write the same thing.
fn one_spelling(line: &str) -> String {
    let line = line
        .replace("timestamp with time zone", "timestamp")
        .replace("public.", "")
        .replace(" bytea", " blob")
        .replace(" using btree", "")
        .replace("::text", "");
    match line.split_once("where (") {
        Some((index, condition)) => format!("{index}where {}", condition.trim_end_matches(')')),
        None => line,
    }
}

#[test]
fn both_folders_hold_the_same_numbers_and_names() {
    let names = |folder: &str| -> Vec<String> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
        let entries = std::fs::read_dir(path).expect("migrations");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
    assert!(!names("sqlite").is_empty());
}
