// npm oidc-provider with its own sign-in pages, on loopback over TLS. Settings come as JSON on the command line.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { Provider } from 'oidc-provider';

const asked = JSON.parse(process.argv[2]);
const people = asked.people; // login → claims

const provider = new Provider(asked.issuer, {
  clients: [{
    client_id: 'gateway',
    redirect_uris: asked.redirect_uris,
    post_logout_redirect_uris: asked.post_logout_redirect_uris,
    response_types: ['code'],
    grant_types: ['authorization_code'],
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    id_token_signed_response_alg: 'RS256',
    jwks: asked.client_jwks,
  }],
  jwks: asked.provider_jwks,
  cookies: { keys: ['only for a test'] },
  claims: { openid: ['sub'], profile: ['name', 'roles', 'branch_no', 'teller_no'] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  features: { rpInitiatedLogout: { enabled: true }, devInteractions: { enabled: true } },
  ttl: { Session: 600, Grant: 600, Interaction: 600, AccessToken: 600, IdToken: 600 },
  async findAccount(ctx, id) {
    return { accountId: id, async claims() { return { sub: id, ...(people[id] ?? {}) }; } };
  },
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope('openid profile');
    await grant.save();
    return grant;
  },
});
const tls = { cert: readFileSync(asked.cert), key: readFileSync(asked.key) };
createServer(tls, provider.callback()).listen(asked.port, '127.0.0.1', () => console.log('ready'));
