//! Signing in at a provider of the house (OpenID Connect Core 1.0, code flow with PKCE).
//!
//! The provider says who somebody is; what they may do is the account's of that name, which has to be there.

use std::path::PathBuf;
use std::time::Duration;

use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreIdTokenClaims, CoreProviderMetadata};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, TokenResponse,
};
use serde::Deserialize;
use ureq::Agent;

use crate::secret::Secret;

/// The provider may take so long for one answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Documents of a provider are small.
const MOST_BYTES: u64 = 1024 * 1024;

/// The section `[oidc]` of the configuration: without it people sign in with a password alone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `https://id.example/realms/tibet`: where `/.well-known/openid-configuration` is.
    pub issuer: String,
    pub client_id: String,
    /// From the environment or from `client_secret_file`; never in the configuration file.
    #[serde(default)]
    pub client_secret: Option<Secret>,
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// What the button says.
    #[serde(default = "label")]
    pub label: String,
    /// The provider asks for a second factor itself: none is asked for here.
    #[serde(default)]
    pub has_second_factor: bool,
}

fn label() -> String {
    "统一身份认证".to_owned()
}

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    #[error("the provider does not answer as it should: {0}")]
    Provider(String),
    #[error("the answer is not to be believed: {0}")]
    Token(String),
    #[error("the provider gives no name (preferred_username)")]
    NoName,
}

/// What the browser keeps while somebody is at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// Comes back with the answer.
    pub state: String,
    /// Stands in the ID token.
    pub nonce: String,
    /// Proves to the provider that who asks for the token has asked for the code (RFC 7636).
    pub verifier: String,
}

impl Errand {
    /// As a cookie's value.
    pub fn written(&self) -> String {
        format!("{}.{}.{}", self.state, self.nonce, self.verifier)
    }

    pub fn read(text: &str) -> Option<Errand> {
        let plain =
            |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        let parts: Vec<String> = text.split('.').filter(plain).map(str::to_owned).collect();
        let [state, nonce, verifier] = <[String; 3]>::try_from(parts).ok()?;
        Some(Errand { state, nonce, verifier })
    }
}

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// Where somebody is sent, and what to remember. Blocks: it asks the provider what it can.
///
/// # Errors
/// The provider can't be asked, or says what it should not.
pub fn leave(config: &Config, back: &str, errand: &Errand) -> Result<String, OidcError> {
    let client = client(config, back)?;
    let verifier = PkceCodeVerifier::new(errand.verifier.clone());
    let (state, nonce) = (errand.state.clone(), errand.nonce.clone());
    let (url, ..) = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || CsrfToken::new(state), || Nonce::new(nonce))
        .add_scope(Scope::new("profile".to_owned()))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .url();
    Ok(url.into())
}

/// Whom the code is of: the account's name at the provider. Blocks.
///
/// # Errors
/// The provider can't be asked, or its token is not for us, not for this errand, too old, or signed by somebody else.
pub fn come_back(config: &Config, back: &str, errand: &Errand, code: &str) -> Result<String, OidcError> {
    let client = client(config, back)?;
    let asked = client.exchange_code(AuthorizationCode::new(code.to_owned()));
    let asked = asked.map_err(|error| OidcError::Provider(error.to_string()))?;
    let answer = asked
        .set_pkce_verifier(PkceCodeVerifier::new(errand.verifier.clone()))
        .request(&ask)
        .map_err(|error| OidcError::Provider(error.to_string()))?;
    let token = answer.id_token().ok_or_else(|| OidcError::Token("there is no ID token".to_owned()))?;
    let verifier = client.id_token_verifier();
    let unbelievable = |error: &dyn std::error::Error| OidcError::Token(error.to_string());
    let nonce = Nonce::new(errand.nonce.clone());
    let claims: &CoreIdTokenClaims = token.claims(&verifier, &nonce).map_err(|error| unbelievable(&error))?;
    if let Some(expected) = claims.access_token_hash() {
        let algorithm = token.signing_alg().map_err(|error| unbelievable(&error))?;
        let key = token.signing_key(&verifier).map_err(|error| unbelievable(&error))?;
        let hash = AccessTokenHash::from_token(answer.access_token(), algorithm, key);
        if hash.map_err(|error| unbelievable(&error))? != *expected {
            return Err(OidcError::Token("the access token is another one's".to_owned()));
        }
    }
    claims.preferred_username().map(|name| name.to_string()).ok_or(OidcError::NoName)
}

fn client(config: &Config, back: &str) -> Result<Client, OidcError> {
    let wrong = |error: &dyn std::error::Error| OidcError::Provider(error.to_string());
    let issuer = IssuerUrl::new(config.issuer.clone()).map_err(|error| wrong(&error))?;
    let metadata = CoreProviderMetadata::discover(&issuer, &ask).map_err(|error| wrong(&error))?;
    let secret = config.client_secret.as_ref().map(|secret| ClientSecret::new(secret.reveal().to_owned()));
    let client = CoreClient::from_provider_metadata(metadata, ClientId::new(config.client_id.clone()), secret);
    Ok(client.set_redirect_uri(RedirectUrl::new(back.to_owned()).map_err(|error| wrong(&error))?))
}

/// Follows no redirect: the provider's answers are where its document says.
fn ask(request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
    let agent = Agent::config_builder().http_status_as_error(false).max_redirects(0).timeout_global(Some(PATIENCE));
    let agent: Agent = agent.build().into();
    let (head, mut body) = agent.run(request)?.into_parts();
    let bytes = body.with_config().limit(MOST_BYTES).read_to_vec()?;
    Ok(HttpResponse::from_parts(head, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errand_is_read_as_it_was_written() {
        let errand = Errand { state: "s-1".to_owned(), nonce: "n_2".to_owned(), verifier: "v3".to_owned() };
        assert_eq!(Errand::read(&errand.written()), Some(errand));
        for wrong in ["", "a.b", "a.b.c.d", "a..c", "a.b.c;Path=/"] {
            assert_eq!(Errand::read(wrong), None, "{wrong}");
        }
    }
}
