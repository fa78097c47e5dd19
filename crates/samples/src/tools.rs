//! One server for the subnets that are asked for one thing each: detectors (SN32, SN34), forecasts (SN50), machines for
//! rent (SN4, SN51). Their paths differ, so they share it; each takes the key in the header of the real one.

use http::{Method, StatusCode};

use crate::serve::{Answer, Asked, problem, refused, refused_without};
use crate::{TOOLS_KEY, detectors, forecasts, machines};

pub(crate) fn answer(request: &Asked) -> Answer {
    let path = request.uri().path();
    let refused = match path {
        "/inventory" => None,
        "/executors" => refused_without(request, "x-api-key", TOOLS_KEY),
        "/detect-image" => refused(request, &Method::POST, &format!("Bearer {TOOLS_KEY}")),
        "/text" | "/batch" => refused(request, &Method::POST, TOOLS_KEY),
        _ if path.starts_with("/insights/") => refused(request, &Method::GET, &format!("Apikey {TOOLS_KEY}")),
        _ => return problem(StatusCode::NOT_FOUND, "Not Found"),
    };
    if let Some(refused) = refused {
        return refused;
    }
    match path {
        "/inventory" => machines::inventory(request),
        "/executors" => machines::executors(request),
        "/detect-image" => detectors::image(request),
        "/text" => detectors::text(request),
        "/batch" => detectors::texts(request),
        _ => forecasts::answer(request),
    }
}
