//! When votes agree.

/// A group of votes that agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Group {
    /// Position of its first vote, whose answer is the group's.
    pub(crate) leader: usize,
    /// How many votes are in it; 0 where there are no votes.
    pub(crate) agreed: u32,
}

/// The largest group of `votes`, of equal ones the first. A vote joins the first group whose leader it agrees
/// with.
pub(crate) fn largest_group<T, E>(
    votes: &[T],
    mut agree: impl FnMut(&T, &T) -> Result<bool, E>,
) -> Result<Group, E> {
    let mut groups: Vec<Group> = Vec::new();
    for (position, vote) in votes.iter().enumerate() {
        let mut joined = false;
        for group in &mut groups {
            let Some(leader) = votes.get(group.leader) else { continue };
            if agree(leader, vote)? {
                group.agreed += 1;
                joined = true;
                break;
            }
        }
        if !joined {
            groups.push(Group { leader: position, agreed: 1 });
        }
    }
    Ok(groups.into_iter().fold(
        Group::default(),
        |best, group| {
            if group.agreed > best.agreed { group } else { best }
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(votes: &[i64], agree: impl Fn(i64, i64) -> bool) -> Group {
        largest_group(votes, |a, b| Ok::<_, ()>(agree(*a, *b))).unwrap()
    }

    #[test]
    fn the_largest_group_counts_and_of_equal_ones_the_first() {
        let same = |a, b| a == b;
        assert_eq!(group(&[1, 2, 2, 3], same), Group { leader: 1, agreed: 2 });
        assert_eq!(group(&[1, 2, 2, 1], same), Group { leader: 0, agreed: 2 });
        assert_eq!(group(&[7], same), Group { leader: 0, agreed: 1 });
        assert_eq!(group(&[], same), Group { leader: 0, agreed: 0 });
    }

    #[test]
    fn a_vote_is_compared_with_leaders_only() {
        // Near is no equivalence: 4 is near 2 and 2 is near 0, but 4 is not near the leader 0.
        let near = |a: i64, b: i64| (a - b).abs() <= 2;
        assert_eq!(group(&[0, 2, 4], near), Group { leader: 0, agreed: 2 });
        assert_eq!(group(&[2, 0, 4], near), Group { leader: 0, agreed: 3 });
    }

    #[test]
    fn what_cannot_be_compared_has_no_group() {
        assert_eq!(largest_group(&[1, 2], |_, _| Err::<bool, _>("trap")), Err("trap"));
    }
}
