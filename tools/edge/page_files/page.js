"use strict";

// The key of this tab: it goes with the tab, and no other page of this address has it.
const PLACE = "paygate-key";

// Takes the code of a link that `make run` printed, and gets the demo key for it, once. A fragment is
// never sent to a server, and is taken out of the address at once.
async function keyOfLink() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (!code) return sessionStorage.getItem(PLACE);
  history.replaceState(null, "", location.pathname);
  const headers = { authorization: `Bearer ${code}` };
  const reply = await fetch("/docs/key", { method: "POST", headers, credentials: "omit" });
  if (!reply.ok) {
    document.getElementById("notice").hidden = false;
    return sessionStorage.getItem(PLACE);
  }
  const { api_key } = await reply.json();
  sessionStorage.setItem(PLACE, api_key);
  return api_key;
}

// Sends a request of a form. What makes or moves something gets an idempotency key of its own if none was
// typed, as any client would give it one; browsers have randomUUID only where an address is safe.
function send(input, init) {
  const request = new Request(input, init);
  if (request.method === "POST" && !request.headers.get("idempotency-key") && crypto.randomUUID) {
    request.headers.set("idempotency-key", crypto.randomUUID());
  }
  return fetch(request);
}

keyOfLink().then((token) => {
  Scalar.createApiReference("#reference", {
    url: "/openapi.json",
    authentication: { preferredSecurityScheme: "key", securitySchemes: { key: { token: token ?? "" } } },
    persistAuth: false,
    customFetch: send,
    // Nothing is asked of, or told to, anybody but this gateway.
    telemetry: false,
    proxyUrl: "",
    agent: { disabled: true },
    mcp: { disabled: true },
    hideClientButton: true,
    showDeveloperTools: "never",
    withDefaultFonts: false,
  });
});
