//! "Did you mean": the candidate that is nearest to a misspelt name.

/// The candidate that `name` was most probably meant to be, or `None` if nothing is near enough.
///
/// A difference of case only always counts. Otherwise about one letter in three may differ
/// (Damerau-Levenshtein, so a swap of neighbours is one difference); of equally near candidates the
/// first wins, so pass them in a stable order.
///
/// ```
/// use plan_lang::suggest;
/// assert_eq!(suggest("concurency", ["budget", "concurrency"]), Some("concurrency"));
/// assert_eq!(suggest("uri", ["snippet", "title"]), None);
/// ```
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = name.to_lowercase();
    // Below three letters everything is near to everything.
    let allowed = folded.chars().count() / 3;
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if candidate == name {
            continue;
        }
        let distance = strsim::damerau_levenshtein(&folded, &candidate.to_lowercase());
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_only() {
        assert_eq!(suggest("Timeout", ["timeout"]), Some("timeout"));
        assert_eq!(suggest("tiemout", ["budget", "timeout"]), Some("timeout"));
        assert_eq!(suggest("ab", ["cd", "ac"]), None);
        assert_eq!(suggest("retries", ["retry", "quorum"]), None);
        assert_eq!(suggest("hit", ["hits", "bits"]), Some("hits"));
        assert_eq!(suggest("same", ["same"]), None);
    }
}
