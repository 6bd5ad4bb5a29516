use wats_scim::blocking::ScimClient;
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = wats_scim::ScimConfig::from_env()?;
    let client = ScimClient::with_config(&config)?;
    let mut n = 0usize;
    for user in client.iter_users().page_size(200).in_flight(4) {
        n += user?.user_name.map_or(0, |n| n.len());
    }
    eprintln!("{n}");
    Ok(())
}
