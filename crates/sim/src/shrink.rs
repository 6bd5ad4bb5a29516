//! Makes the string of a violation shorter and emptier, while the violation stays.

/// `fails` says whether a string still shows it.
pub fn shrink(string: &[u8], fails: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut best = string.to_vec();
    let mut length = best.len();
    while length > 0 {
        length /= 2;
        while best.len() > length && fails(&best[..best.len() - length.max(1)]) {
            best.truncate(best.len() - length.max(1));
        }
    }
    for _ in 0..2 {
        for size in [16, 4, 1] {
            for from in (0..best.len()).step_by(size) {
                let mut simpler = best.clone();
                let to = simpler.len().min(from + size);
                if simpler[from..to].iter().any(|byte| *byte != 0) {
                    simpler[from..to].fill(0);
                    if fails(&simpler) {
                        best = simpler;
                    }
                }
            }
        }
    }
    while best.last() == Some(&0) {
        best.pop();
    }
    best
}
