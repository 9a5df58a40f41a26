//! An order in which everything comes after what it uses.

use std::collections::BTreeSet;

/// For items that use others: an order that respects it, as near to the given one as can be, and what is left in circles.
pub fn sorted(uses: &[BTreeSet<usize>]) -> (Vec<usize>, Vec<usize>) {
    let mut order = Vec::with_capacity(uses.len());
    let mut done = vec![false; uses.len()];
    loop {
        let before = order.len();
        for (n, needs) in uses.iter().enumerate() {
            let ready = !done.get(n).copied().unwrap_or(true) && needs.iter().all(|m| done.get(*m).copied().unwrap_or(true));
            if ready {
                if let Some(d) = done.get_mut(n) {
                    *d = true;
                }
                order.push(n);
            }
        }
        if order.len() == before {
            break;
        }
    }
    // What merely waits for a circle is not part of it.
    let left: BTreeSet<usize> = (0..uses.len()).filter(|n| !done.get(*n).copied().unwrap_or(true)).collect();
    let reaches = |from: usize| {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(n) = open.pop() {
            for m in uses.get(n).into_iter().flatten().filter(|m| left.contains(m)) {
                if seen.insert(*m) {
                    open.push(*m);
                }
            }
        }
        seen.contains(&from)
    };
    let circle: Vec<usize> = left.iter().copied().filter(|n| reaches(*n)).collect();
    (order, circle)
}

#[cfg(test)]
mod tests {
    use super::sorted;
    use std::collections::BTreeSet;

    #[test]
    fn circles_are_found_and_the_rest_is_ordered() {
        let uses: Vec<BTreeSet<usize>> = [vec![1], vec![], vec![3], vec![2], vec![2]].into_iter().map(|v| v.into_iter().collect()).collect();
        assert_eq!(sorted(&uses), (vec![1, 0], vec![2, 3]));
        assert_eq!(sorted(&[[0].into()]), (vec![], vec![0]));
    }
}
