//! The wire: what becomes of a request, and of its answer.

use std::task::Waker;
use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode};
use wats_scim::transport::{TimeLeft, TransportError};

use crate::marks::Mark;
use crate::server::TOKEN;
use crate::world::{Event, World};

/// What the wire does to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    NotConnected,
    NotProcessed,
    RequestLost,
    AnswerLost,
    BrokenBefore,
    BrokenAfter,
    BrokenAndLate,
    GatewayTimeoutAndLate,
    Twice,
    AnswerCut,
    BadGatewayBefore,
    BadGatewayAfter,
    UnavailableWithWait,
    GatewayNotFound,
    GatewayForbidden,
    GatewayBadRequest,
    LoginPage,
    Throttled,
    ErrorBefore,
    ErrorAfter,
    RequestTimeout,
    Slow,
}

pub const FAULTS: [Fault; 22] = [
    Fault::NotConnected,
    Fault::NotProcessed,
    Fault::RequestLost,
    Fault::AnswerLost,
    Fault::BrokenBefore,
    Fault::BrokenAfter,
    Fault::BrokenAndLate,
    Fault::GatewayTimeoutAndLate,
    Fault::Twice,
    Fault::AnswerCut,
    Fault::BadGatewayBefore,
    Fault::BadGatewayAfter,
    Fault::UnavailableWithWait,
    Fault::GatewayNotFound,
    Fault::GatewayForbidden,
    Fault::GatewayBadRequest,
    Fault::LoginPage,
    Fault::Throttled,
    Fault::ErrorBefore,
    Fault::ErrorAfter,
    Fault::RequestTimeout,
    Fault::Slow,
];

impl Fault {
    /// Whether the request may have an effect after the client has its answer.
    fn is_late(self) -> bool {
        matches!(self, Self::BrokenAndLate | Self::GatewayTimeoutAndLate | Self::Twice)
    }
}

/// What the client receives.
#[derive(Clone, Copy, Debug)]
enum Given {
    /// What the server says.
    Truth,
    Cut,
    NotConnected,
    NotProcessed,
    Broken,
    Timeout,
    Page(u16),
    Wait(u16, u16),
    /// An error message of the server that repeats the credentials.
    Error(u16),
}

/// A request in flight.
#[derive(Debug)]
pub struct Ticket {
    pub request: Request<Vec<u8>>,
    pub fault: Option<Fault>,
    given: Given,
    truth: Option<Response<Vec<u8>>>,
    answer: Option<Result<Response<Vec<u8>>, TransportError>>,
    waker: Option<Waker>,
    pub is_open: bool,
    /// When and with what status the client has its answer.
    pub answered: Option<(Duration, u16)>,
    pub arrivals: u32,
    /// When it arrived first.
    pub arrived: Option<Duration>,
    /// Whether the client cannot know what became of it.
    pub is_ambiguous: bool,
}

impl Ticket {
    pub fn is_write(&self) -> bool {
        self.request.method() != http::Method::GET
    }

    pub fn mentions(&self, text: &str) -> bool {
        self.request.uri().path().split('/').any(|segment| segment == text)
            || String::from_utf8_lossy(self.request.body()).contains(&format!("{text}\""))
    }
}

#[derive(Debug, Default)]
pub struct Wire {
    pub tickets: Vec<Ticket>,
    pub open: usize,
    /// The most requests that may be open.
    pub most_open: usize,
    /// No request may be sent before.
    held_until: Duration,
    /// How many requests were sent after the first rejection of the credentials.
    pub since_rejection: Option<usize>,
}

impl Wire {
    /// A client begins, without the state of an earlier one.
    pub fn begin(&mut self, in_flight: usize) {
        self.most_open = in_flight;
        self.since_rejection = None;
        self.held_until = Duration::ZERO;
    }
}

const MS: Duration = Duration::from_millis(1);
const TIMEOUT: Duration = Duration::from_secs(30);

impl World {
    /// Sends a request, and returns its number.
    pub fn dispatch(&self, request: Request<Vec<u8>>) -> usize {
        let number = self.wire.borrow().tickets.len();
        self.check_before_sending(&request);
        let fault = self.fault();
        if let Some(fault) = fault {
            self.say(|| format!("the wire will do this to request {number}: {fault:?}"));
        }
        let limit = request.extensions().get::<TimeLeft>().map_or(TIMEOUT, |left| left.0.min(TIMEOUT));
        let (arrivals, mut at, mut given) = self.fate(fault);
        let mut is_ambiguous = fault.is_some_and(|fault| {
            !matches!(fault, Fault::NotConnected | Fault::NotProcessed | Fault::Throttled | Fault::Slow | Fault::Twice)
                && !matches!(fault, Fault::GatewayNotFound | Fault::GatewayForbidden | Fault::GatewayBadRequest)
        });
        if at > limit {
            (at, given, is_ambiguous) = (limit, Given::Timeout, true);
        }
        self.say(|| {
            let body = String::from_utf8_lossy(request.body());
            format!("request {number}: {} {} {body:.300}", request.method(), request.uri())
        });
        self.wire.borrow_mut().tickets.push(Ticket {
            request,
            fault,
            given,
            truth: None,
            answer: None,
            waker: None,
            is_open: true,
            answered: None,
            arrivals: 0,
            arrived: None,
            is_ambiguous,
        });
        {
            let mut wire = self.wire.borrow_mut();
            wire.open += 1;
            if let (Some(since), true) = (&mut wire.since_rejection, fault != Some(Fault::NotProcessed)) {
                *since += 1;
            }
        }
        for arrival in arrivals {
            self.schedule(arrival, Event::Arrive(number));
        }
        self.schedule(at, Event::Answer(number));
        self.touch();
        number
    }

    fn check_before_sending(&self, request: &Request<Vec<u8>>) {
        let wire = self.wire.borrow_mut();
        if request.uri().authority().is_none_or(|host| host != "sim.example") {
            self.violation("(h) a request was sent to another origin");
        }
        if request.uri().to_string().contains(TOKEN) {
            self.violation("(h) a secret is in a URL");
        }
        if self.elapsed() < wire.held_until {
            self.violation("(g) a request was sent before the time that the server asked for");
        } else if !wire.held_until.is_zero() {
            self.mark(Mark::WaitedForServer);
        }
        if wire.open >= wire.most_open && !self.is_dead() {
            self.violation(&format!("(g) more than {} requests are in flight", wire.most_open));
        }
    }

    /// What the wire does to the next request.
    fn fault(&self) -> Option<Fault> {
        let setting = &self.setting;
        if self.is_calm() || setting.faults == 0 {
            return None;
        }
        let possible = || {
            let is_on =
                |(at, fault): &(usize, &Fault)| setting.faults & 1 << at != 0 && (setting.is_late || !fault.is_late());
            FAULTS.iter().enumerate().filter(is_on).map(|(_, fault)| *fault)
        };
        let byte = self.choose(256);
        let which = match setting.rate {
            0 => byte.checked_sub(1)?,
            rate if byte != 0 && byte.is_multiple_of(2 + usize::from(rate % 16)) => self.choose(256),
            _ => return None,
        };
        possible().nth(which % possible().count().max(1))
    }

    /// When the request arrives, and what the client receives when.
    fn fate(&self, fault: Option<Fault>) -> (Vec<Duration>, Duration, Given) {
        let late = || {
            [20 * MS, 200 * MS, 1000 * MS, 5000 * MS, 20_000 * MS, 60_000 * MS, 200_000 * MS, 1_000_000 * MS]
                [self.choose(8)]
        };
        let extra = if self.setting.jitters && !self.is_calm() {
            MS * u32::try_from(self.choose(64)).unwrap_or(0)
        } else {
            Duration::ZERO
        };
        let (there, back) = (MS, 2 * MS + extra);
        match fault {
            None => (vec![there], back, Given::Truth),
            Some(Fault::NotConnected) => (vec![], there, Given::NotConnected),
            Some(Fault::NotProcessed) => (vec![], there, Given::NotProcessed),
            Some(Fault::RequestLost) => (vec![], Duration::MAX, Given::Truth),
            Some(Fault::AnswerLost) => (vec![there], Duration::MAX, Given::Truth),
            Some(Fault::BrokenBefore) => (vec![], back, Given::Broken),
            Some(Fault::BrokenAfter) => (vec![there], back, Given::Broken),
            Some(Fault::BrokenAndLate) => (vec![back + late()], back, Given::Broken),
            Some(Fault::GatewayTimeoutAndLate) => (vec![back + late()], back, Given::Page(504)),
            Some(Fault::Twice) => (vec![there, there + late()], back, Given::Truth),
            Some(Fault::AnswerCut) => (vec![there], back, Given::Cut),
            Some(Fault::BadGatewayBefore) => (vec![], back, Given::Page(502)),
            Some(Fault::BadGatewayAfter) => (vec![there], back, Given::Page(502)),
            Some(Fault::UnavailableWithWait) => (vec![], back, Given::Wait(503, [1, 20, 300][self.choose(3)])),
            Some(Fault::GatewayNotFound) => (vec![], back, Given::Page(404)),
            Some(Fault::GatewayForbidden) => (vec![], back, Given::Page(403)),
            Some(Fault::GatewayBadRequest) => (vec![], back, Given::Page(400)),
            Some(Fault::LoginPage) => (vec![], back, Given::Page(200)),
            Some(Fault::Throttled) => (vec![], back, Given::Wait(429, [1, 20, 300][self.choose(3)])),
            Some(Fault::ErrorBefore) => (vec![], back, Given::Error(500)),
            Some(Fault::ErrorAfter) => (vec![there], back, Given::Error(500)),
            Some(Fault::RequestTimeout) => (vec![], back, Given::Page(408)),
            Some(Fault::Slow) => (vec![there], MS * [100, 2000, 29_000, 31_000][self.choose(4)], Given::Truth),
        }
    }

    /// A request has arrived at the server.
    pub fn arrive(&self, number: usize) {
        self.meddle(number);
        let now = self.elapsed();
        let mut wire = self.wire.borrow_mut();
        let Some(ticket) = wire.tickets.get_mut(number) else { return };
        if ticket.truth.as_ref().is_some_and(|truth| !truth.status().is_success()) {
            // What was rejected is not carried out when it arrives again.
            return;
        }
        let response = self.server.borrow_mut().answer(now, number, &ticket.request);
        ticket.arrivals += 1;
        ticket.arrived.get_or_insert(now);
        let (status, is_second) = (response.status(), ticket.arrivals > 1);
        if is_second {
            self.mark(Mark::CarriedOutTwice);
        }
        if ticket.truth.is_none() {
            ticket.truth = Some(response);
        }
        drop(wire);
        self.say(|| {
            format!("    the server carries request {number} out{}: {status}", if is_second { " again" } else { "" })
        });
    }

    /// The client receives its answer.
    pub fn deliver(&self, number: usize) {
        let now = self.elapsed();
        let mut wire = self.wire.borrow_mut();
        let wire = &mut *wire;
        let Some(ticket) = wire.tickets.get_mut(number) else { return };
        let answer = given(ticket.given, ticket.truth.as_ref(), self);
        let status = answer.as_ref().map_or(0, |response| response.status().as_u16());
        if ticket.is_open && !self.is_dead() {
            self.trace(u64::from(status) << 32 | number as u64);
            self.say(|| match &answer {
                Ok(response) => {
                    format!("request {number} is answered {status} {:.200}", String::from_utf8_lossy(response.body()))
                }
                Err(error) => format!("request {number} fails: {error}"),
            });
            self.mark_answer(ticket, status);
            ticket.answered = Some((now, status));
        }
        ticket.answer = Some(answer);
        let waker = ticket.waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn mark_answer(&self, ticket: &Ticket, status: u16) {
        match ticket.given {
            Given::Page(404) if ticket.is_write() => self.mark(Mark::GatewayNotFound),
            Given::Page(502)
                if ticket.is_write() && ticket.truth.as_ref().is_some_and(|truth| truth.status().is_success()) =>
            {
                self.mark(Mark::GatewayHidSuccess);
            }
            Given::Page(200) => self.mark(Mark::LoginPage),
            Given::Cut => self.mark(Mark::AnswerCut),
            Given::Timeout => self.mark(Mark::TimedOut),
            Given::NotProcessed => self.mark(Mark::NotProcessed),
            _ if status == 412 => self.mark(Mark::OtherVersion),
            _ => {}
        }
        if ticket.request.uri().query().is_some_and(|query| query.contains("cursor=after")) && status == 200 {
            self.mark(Mark::CursorFollowed);
        }
        if ticket.request.uri().path().ends_with("/Bulk") && ticket.is_ambiguous && ticket.arrivals > 0 {
            self.mark(Mark::BulkAnswerLost);
        }
    }

    /// The answer to a request, if it is there.
    pub fn answer(&self, number: usize, waker: Option<&Waker>) -> Option<Result<Response<Vec<u8>>, TransportError>> {
        let mut wire = self.wire.borrow_mut();
        let ticket = wire.tickets.get_mut(number)?;
        let Some(answer) = ticket.answer.take() else {
            ticket.waker = waker.cloned();
            return None;
        };
        ticket.is_open = false;
        wire.open = wire.open.saturating_sub(1);
        if let Ok(response) = &answer {
            self.note(&mut wire, response);
        }
        Some(answer)
    }

    /// What the client knows with an answer.
    fn note(&self, wire: &mut Wire, response: &Response<Vec<u8>>) {
        let seconds = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        if let (429, Some(seconds), true) = (response.status().as_u16(), seconds, self.setting.attempts > 1) {
            let wait = Duration::from_secs(seconds).min(Duration::from_secs(60));
            wire.held_until = wire.held_until.max(self.elapsed() + wait);
        }
        if response.status() == StatusCode::UNAUTHORIZED && wire.since_rejection.is_none() {
            wire.since_rejection = Some(0);
            self.mark(Mark::Expired);
        }
    }

    /// The client does not wait for an answer any more.
    pub fn abandon(&self, number: usize) {
        let mut wire = self.wire.borrow_mut();
        let wire = &mut *wire;
        if let Some(ticket) = wire.tickets.get_mut(number).filter(|ticket| ticket.is_open) {
            ticket.is_ambiguous = true;
            ticket.is_open = false;
            ticket.waker = None;
            wire.open = wire.open.saturating_sub(1);
        }
    }
}

fn given(given: Given, truth: Option<&Response<Vec<u8>>>, world: &World) -> Result<Response<Vec<u8>>, TransportError> {
    let canned = |status: u16, media_type: &'static str, body: String| {
        let mut response = Response::new(body.into_bytes());
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
        response.headers_mut().insert("content-type", HeaderValue::from_static(media_type));
        response
    };
    match (given, truth) {
        (Given::Truth, Some(truth)) => Ok(truth.clone()),
        (Given::Cut, Some(truth)) => {
            let mut cut = truth.clone();
            let length = cut.body().len();
            cut.body_mut().truncate(length * (world.choose(255) + 1) / 257);
            Ok(cut)
        }
        (Given::NotConnected, _) => Err(TransportError::not_connected("refused")),
        (Given::NotProcessed, _) => Err(TransportError::not_processed("go away")),
        (Given::Broken | Given::Truth | Given::Cut, _) => Err(TransportError::interrupted("reset")),
        (Given::Timeout, _) => Err(TransportError::timeout("timeout")),
        (Given::Page(status), _) => {
            Ok(canned(status, "text/html", format!("<html><body>{status}, from in front of the server</body></html>")))
        }
        (Given::Wait(status, seconds), _) => {
            let mut response = canned(status, "text/plain", "please wait".to_owned());
            response.headers_mut().insert("retry-after", HeaderValue::from(seconds));
            Ok(response)
        }
        (Given::Error(status), _) => {
            let body = format!(
                r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"{status}","detail":"failed for Basic {TOKEN}"}}"#
            );
            Ok(canned(status, "application/scim+json", body))
        }
    }
}
