//! Lists of anything.

use super::{items, table};
use crate::script::value::Value;

table! { "Lists":
    List.len() -> Int, "How many items it has.", "users.len()" => "2", |_, a| Ok(Value::Int(i64::try_from(items(a, 0).len()).unwrap_or(i64::MAX)));
    List.is_empty() -> Bool, "Whether it has no items.", "pods.is_empty()" => "true", |_, a| Ok(items(a, 0).is_empty().into());
    List.contains(item: Item) -> Bool, "Whether the item is in it. `x in list` says the same.", r#"[1, 2].contains(2)"# => "true", |_, a| {
        let wanted = a.get(1).cloned().unwrap_or(Value::Absent);
        Ok(items(a, 0).iter().any(|x| x.same(&wanted)).into())
    };
    List.intersects(other: Same) -> Bool, "Whether the two lists have an item in common.", r#"["a", "b"].intersects(["b", "c"])"# => "true", |cx, a| {
        cx.work(items(a, 0).len().saturating_mul(items(a, 1).len()))?;
        Ok(items(a, 0).iter().any(|x| items(a, 1).iter().any(|y| x.same(y))).into())
    };
    List.first() -> Item ? true, "The first item; absent when there is none.", "users.first()" => "user:ada@contoso.com", |_, a| Ok(items(a, 0).first().cloned().unwrap_or(Value::Absent));
    List.last() -> Item ? true, "The last item; absent when there is none.", "users.last()" => "user:bo@contoso.com", |_, a| Ok(items(a, 0).last().cloned().unwrap_or(Value::Absent));
    List.unique() -> Same, "The items, each once, in the order of their first place.", "[2, 1, 2].unique()" => "[2, 1]", |cx, a| {
        let mut kept: Vec<Value> = Vec::new();
        for x in items(a, 0) {
            cx.work(kept.len())?;
            if !kept.iter().any(|k| k.same(x)) {
                kept.push(x.clone());
            }
        }
        Ok(Value::list(kept))
    };
    Nested.flatten() -> Flat, "The items of the lists in it, one after another.", "[[1], [2, 3]].flatten()" => "[1, 2, 3]", |cx, a| {
        let all: Vec<Value> = items(a, 0).iter().flat_map(|x| x.items().iter().cloned()).collect();
        cx.made(all.len())?;
        Ok(Value::list(all))
    };
    Ordered.max() -> Item ? true, "The greatest item; absent when there is none.", r#"[level("low"), level("high")].max()"# => "high", |_, a| {
        Ok(best(items(a, 0), std::cmp::Ordering::Greater))
    };
    Ordered.min() -> Item ? true, "The least item; absent when there is none.", "[3, 1].min()" => "1", |_, a| Ok(best(items(a, 0), std::cmp::Ordering::Less));
    Texts.join(between: Text) -> Text, "The texts in one, with this between them.", r#"["a", "b"].join(", ")"# => "\"a, b\"", |cx, a| {
        let parts: Vec<&str> = items(a, 0).iter().filter_map(Value::as_text).collect();
        let joined = parts.join(super::text(a, 1));
        cx.made(joined.len())?;
        Ok(joined.into())
    };
}

fn best(items: &[Value], wanted: std::cmp::Ordering) -> Value {
    let mut best: Option<&Value> = None;
    for x in items {
        if best.is_none_or(|b| x.order(b) == Some(wanted)) {
            best = Some(x);
        }
    }
    best.cloned().unwrap_or(Value::Absent)
}
