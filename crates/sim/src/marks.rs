//! Rare situations that a long run must have met, or it has not tested what it claims.

macro_rules! marks {
    ($($(#[doc = $text:literal])* $name:ident,)*) => {
        /// A rare situation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mark { $($(#[doc = $text])* $name,)* }

        /// All of them, with what they mean.
        pub const MARKS: &[(Mark, &str)] = &[$((Mark::$name, concat!($($text),*)),)*];
    };
}

marks! {
    /// A creation was applied, its answer was lost, and the client found it.
    SettledAfterLostAnswer,
    /// A creation was carried out after the client had asked whether it was there.
    CreatedAfterTheLook,
    /// A creation was sent again, since the look found nothing.
    CreatedAgain,
    /// A creation met a resource of another writer that has its name.
    NameTakenByAnother,
    /// A server that allows it has two resources of one name.
    Twins,
    /// A write ended with an unknown outcome, and had been applied.
    UnknownAndApplied,
    /// A write ended with an unknown outcome, and had not been applied.
    UnknownAndNotApplied,
    /// A write had no effect, and the client knew it.
    KnownAsNotApplied,
    /// A deletion was applied, its answer was lost, and the second attempt met a 404.
    DeletedByALostAttempt,
    /// Another writer deleted what the client was about to change.
    DeletedByAnother,
    /// A gateway answered a write with a 404.
    GatewayNotFound,
    /// A gateway answered 502 to a write that was applied.
    GatewayHidSuccess,
    /// A login page came with status 200.
    LoginPage,
    /// An answer was cut off.
    AnswerCut,
    /// The server asked to wait, and a request waited.
    WaitedForServer,
    /// A request was not sent, since the server asked for a longer wait than there was time.
    AskedTooLong,
    /// A request timed out.
    TimedOut,
    /// An operation ended because its attempts were used up.
    OutOfAttempts,
    /// An operation ended because its time was over.
    OutOfTime,
    /// A request that was not processed was sent again.
    NotProcessed,
    /// A request was carried out twice.
    CarriedOutTwice,
    /// A write was carried out after its operation had ended.
    LateEffect,
    /// A write was rejected because another version was there.
    OtherVersion,
    /// The credentials expired in the middle.
    Expired,
    /// A list ended in an error.
    ListFailed,
    /// A list of several pages was complete.
    ListComplete,
    /// A list went on after its future was dropped.
    ListWentOn,
    /// A cursor was followed.
    CursorFollowed,
    /// A read showed an old state.
    ReadLagged,
    /// A bulk request was applied, and its answer was lost.
    BulkAnswerLost,
    /// The process was killed while steps were in flight.
    KilledInFlight,
    /// The process was killed before the first step.
    KilledAtTheStart,
    /// An apply resumed from a journal.
    Resumed,
    /// An apply resumed from a journal with a torn line.
    ResumedWithTornLine,
    /// Lines of the journal were lost in a power failure.
    LinesLost,
    /// The disk was full.
    DiskFull,
    /// A full disk cut a line off.
    LineCutByFullDisk,
    /// A lock was held by another.
    LockMet,
    /// A step was skipped, because its user had changed.
    StepSkipped,
    /// A step that was begun before had been applied.
    FoundDone,
}

/// A set of marks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks(u64);

impl Marks {
    pub fn add(&mut self, mark: Mark) {
        self.0 |= 1 << mark as u64;
    }

    pub fn has(self, mark: Mark) -> bool {
        self.0 & 1 << mark as u64 != 0
    }

    pub fn union(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub fn count(self) -> u32 {
        self.0.count_ones()
    }
}
