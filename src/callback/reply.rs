//! The three answers in an SMS: one digit each, as the keys of the call have them, and a fourth for the wish to redo.

use crate::ticket::{Answers, Contacted, Means, Satisfaction, Solved};

/// The text has not the three answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reply is three digits, contacted 1-3, solved 1-3 and satisfied 1-5, and 1 behind them to have it redone")]
pub struct BadReply;

/// Reads `1 1 5`, `115` or `3、3、5、1`; digits may be full-width, and what stands between them is not looked at. The wish
/// to redo counts with dissatisfaction alone.
///
/// # Errors
/// Fewer or more digits, or one outside its question.
pub fn read(text: &str) -> Result<Answers, BadReply> {
    let digits: Vec<u8> = text.chars().filter_map(digit).take(5).collect();
    let (contacted, solved, satisfied, redo) = match digits[..] {
        [contacted, solved, satisfied] => (contacted, solved, satisfied, false),
        [contacted, solved, satisfied, redo @ 1..=2] => (contacted, solved, satisfied, redo == 1),
        _ => return Err(BadReply),
    };
    let contacted = match contacted {
        1 => Contacted::InTime,
        2 => Contacted::Late,
        3 => Contacted::No,
        _ => return Err(BadReply),
    };
    let solved = match solved {
        1 => Solved::Yes,
        2 => Solved::Partly,
        3 => Solved::No,
        _ => return Err(BadReply),
    };
    let satisfaction = 6_u8.checked_sub(satisfied).and_then(Satisfaction::new).ok_or(BadReply)?;
    let mut answers = Answers {
        means: Means::Sms,
        contacted: Some(contacted),
        solved: Some(solved),
        satisfaction: Some(satisfaction),
        redo: false,
        recording: None,
    };
    answers.redo = redo && answers.is_dissatisfied();
    Ok(answers)
}

fn digit(letter: char) -> Option<u8> {
    let letter = match letter {
        '０'..='９' => char::from_u32(u32::from(letter) - u32::from('０') + u32::from('0'))?,
        '༠'..='༩' => char::from_u32(u32::from(letter) - u32::from('༠') + u32::from('0'))?,
        other => other,
    };
    letter.to_digit(10).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn given(text: &str) -> Option<(&'static str, &'static str, u8, bool)> {
        let answers = read(text).ok()?;
        Some((answers.contacted?.name(), answers.solved?.name(), answers.satisfaction?.get(), answers.redo))
    }

    #[test]
    fn the_digits_are_the_keys_of_the_call() {
        for text in ["115", "1 1 5", " 1,1,5。", "１１５", "༡༡༥"] {
            assert_eq!(given(text), Some(("in_time", "yes", 1, false)), "{text}");
        }
        assert_eq!(given("221"), Some(("late", "partly", 5, false)));
        assert_eq!(given("3351"), Some(("no", "no", 1, true)));
        assert_eq!(given("3352"), Some(("no", "no", 1, false)));
    }

    #[test]
    fn the_satisfied_have_nothing_to_redo() {
        assert_eq!(given("1111"), Some(("in_time", "yes", 5, false)));
    }

    #[test]
    fn anything_else_is_no_reply() {
        for text in ["", "好的", "11", "415", "145", "116", "110", "1153", "11511", "13800000001"] {
            assert_eq!(read(text), Err(BadReply), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "\\PC*") {
            let _ = read(&text);
        }
    }
}
