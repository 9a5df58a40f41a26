//! The properties of an incident's entities, kind by kind in columns, so that asking all of a kind is one walk over memory.

use std::sync::LazyLock;

use crate::model::kind::PROPS;
use crate::model::{EntityIx, Incident, Kind, Kinds, Prop, PropValue};

/// The place of a property of a kind among the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(u16);

/// For each property, the slot of the first kind that has it; at the end, how many slots there are.
static STARTS: LazyLock<(Vec<u16>, u16)> = LazyLock::new(|| {
    let mut next = 0u16;
    let starts = PROPS
        .iter()
        .map(|p| {
            let start = next;
            next = next.saturating_add(u16::try_from(p.kinds.count()).unwrap_or(u16::MAX));
            start
        })
        .collect();
    (starts, next)
});

/// Where a kind's values of a property stand; `None` if the kind has no such property.
pub fn slot(kind: Kind, prop: Prop) -> Option<Slot> {
    let kinds = prop.spec().kinds;
    let start = STARTS.0.get(usize::from(prop.0))?;
    kinds.has(kind).then(|| Slot(start.saturating_add(u16::try_from(kinds.and(Kinds::before(kind)).count()).unwrap_or(u16::MAX))))
}

/// One value for each entity of a kind; nothing where nothing is recorded.
pub type Column = Vec<Option<PropValue>>;

/// Entities by kind, and what they hold.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// All entities, those of one kind together, in order.
    order: Vec<EntityIx>,
    /// For each kind, where its entities begin in `order`; one more at the end.
    starts: Vec<u32>,
    /// For each entity, its place among those of its kind.
    rows: Vec<u32>,
    columns: Vec<Option<Column>>,
}

impl Columns {
    /// The columns of an incident's records.
    pub fn new(incident: &Incident) -> Self {
        let mut counts = vec![0u32; Kind::ALL.len().saturating_add(1)];
        let mut rows = Vec::with_capacity(incident.entities.len());
        for e in &incident.entities {
            let Some(n) = counts.get_mut(e.kind as usize) else { continue };
            rows.push(*n);
            *n = n.saturating_add(1);
        }
        let mut next = 0u32;
        for n in &mut counts {
            (*n, next) = (next, next.saturating_add(*n));
        }
        let mut order = vec![EntityIx(0); incident.entities.len()];
        for ((ix, e), row) in incident.entities().zip(&rows) {
            let at = counts.get(e.kind as usize).map_or(0, |s| s.saturating_add(*row));
            if let Some(place) = order.get_mut(at as usize) {
                *place = ix;
            }
        }
        Self { order, starts: counts, rows, columns: vec![None; usize::from(STARTS.1)] }
    }

    /// The entities of a kind, in order.
    #[inline]
    pub fn of(&self, kind: Kind) -> &[EntityIx] {
        let at = |n: usize| self.starts.get(n).map_or(0, |s| *s as usize);
        self.order.get(at(kind as usize)..at((kind as usize).saturating_add(1))).unwrap_or_default()
    }

    /// The place of an entity among those of its kind.
    pub fn row(&self, e: EntityIx) -> usize {
        self.rows.get(e.0 as usize).map_or(0, |r| *r as usize)
    }

    /// What the entities of a kind hold; `None` if none of them holds anything.
    pub fn column(&self, slot: Slot) -> Option<&Column> {
        self.columns.get(usize::from(slot.0))?.as_ref()
    }

    /// What an entity of this kind holds.
    pub fn value(&self, e: EntityIx, slot: Slot) -> Option<&PropValue> {
        self.column(slot)?.get(self.row(e))?.as_ref()
    }

    /// Says what an entity of this kind holds of which nothing was said yet.
    pub fn fill(&mut self, e: EntityIx, kind: Kind, held: impl Iterator<Item = (Prop, PropValue)>) {
        let (row, rows) = (self.row(e), self.of(kind).len());
        for (prop, value) in held {
            let column = slot(kind, prop).and_then(|s| self.columns.get_mut(usize::from(s.0)));
            if let Some(cell) = column.and_then(|c| c.get_or_insert_with(|| vec![None; rows]).get_mut(row)) {
                *cell = Some(value);
            }
        }
    }

    /// Says what an entity of this kind holds.
    pub fn set(&mut self, e: EntityIx, kind: Kind, prop: Prop, value: Option<PropValue>) {
        let (row, rows) = (self.row(e), self.of(kind).len());
        let Some(column) = slot(kind, prop).and_then(|s| self.columns.get_mut(usize::from(s.0))) else { return };
        if value.is_none() && column.is_none() {
            return;
        }
        if let Some(cell) = column.get_or_insert_with(|| vec![None; rows]).get_mut(row) {
            *cell = value;
        }
    }
}
