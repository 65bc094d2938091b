//! Thinning: a line of more points than the paper has columns is drawn by the extremes of each column.

/// Most points that a line is drawn by.
pub const MOST: usize = 400;

/// Indices of at most [`MOST`] values that draw the same line: of each stretch of the line its least and its greatest, and both ends.
#[must_use]
pub fn thinned(values: &[f64]) -> Vec<usize> {
    if values.len() <= MOST {
        return (0..values.len()).collect();
    }
    let (last, columns) = (values.len() - 1, MOST / 2 - 1);
    let mut kept = vec![0];
    for index in 0..columns {
        let (start, end) = (1 + index * (last - 1) / columns, 1 + (index + 1) * (last - 1) / columns);
        let by_value = |a: &usize, b: &usize| values[*a].total_cmp(&values[*b]);
        let low = (start..end).min_by(by_value).unwrap_or(start);
        let high = (start..end).max_by(by_value).unwrap_or(start);
        kept.push(low.min(high));
        if low != high {
            kept.push(low.max(high));
        }
    }
    kept.push(last);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lines_stay_and_long_ones_keep_their_extremes() {
        assert_eq!(thinned(&[1.0, 2.0]), [0, 1]);
        let mut values: Vec<f64> = (0..100_000).map(|index| (f64::from(index) * 0.01).sin()).collect();
        values[54_321] = 9.0;
        values[77] = -9.0;
        let kept = thinned(&values);
        assert!(kept.len() <= MOST && kept.windows(2).all(|pair| pair[0] < pair[1]));
        assert!([0, 77, 54_321, 99_999].iter().all(|index| kept.contains(index)));
        assert!(thinned(&vec![0.0; 401]).len() <= MOST);
    }
}
