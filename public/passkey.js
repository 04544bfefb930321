// Passkeys: asks the browser for them (Web Authentication level 2 §5) and carries its answers to the shop. Loaded by the
// pages that offer them; it runs once and then listens, whatever page the client shows. It writes into nothing that the
// client builds: what can be done here is told to the style sheet by an attribute of <html>, and each form has a line
// for what is said, with all texts as its attributes.

const root = document.documentElement;
const offered = "PublicKeyCredential" in window && isSecureContext && location.origin === root.dataset.passkeysAt;
root.dataset.passkeys = offered ? "yes" : "no";

/** What the shop refused, by the name of the attribute that says it. */
class Refused extends Error {
  constructor(said) {
    super(said);
    this.said = said;
  }
}

const REFUSALS = {
  Required: "required", Credentials: "credentials", Proof: "proof", Taken: "known", Full: "full", Passkey: "refused",
  PasskeyOver: "late", PasskeyPlace: "unable", TooMany: "many", Unauthenticated: "signIn", SignInOver: "over",
};

async function post(name, fields) {
  const headers = { accept: "application/json", "x-lang": root.lang };
  const request = { method: "POST", body: new URLSearchParams(fields), headers };
  const response = await fetch(`/api/passkey/${name}`, request).catch(() => {
    throw new Refused("offline");
  });
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  // One problem by field, or what is wrong with all of it; each a name, or a name with more to say.
  const problem = Object.values(answer?.Invalid ?? {})[0] ?? answer;
  const named = typeof problem === "string" ? problem : Object.keys(problem ?? {})[0];
  throw new Refused(REFUSALS[named] ?? "failed");
}

// Bytes are base64url in JSON (RFC 4648 §5), without padding.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) => {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};
const listed = (keys) => keys?.map((key) => ({ ...key, id: bytes(key.id) }));

function toCreate(json) {
  if (PublicKeyCredential.parseCreationOptionsFromJSON) return PublicKeyCredential.parseCreationOptionsFromJSON(json);
  const user = { ...json.user, id: bytes(json.user.id) };
  return { ...json, challenge: bytes(json.challenge), user, excludeCredentials: listed(json.excludeCredentials) };
}

function toGet(json) {
  if (PublicKeyCredential.parseRequestOptionsFromJSON) return PublicKeyCredential.parseRequestOptionsFromJSON(json);
  return { ...json, challenge: bytes(json.challenge), allowCredentials: listed(json.allowCredentials) };
}

function toJson(credential) {
  if (credential.toJSON) return credential.toJSON();
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  const { id, type } = credential;
  return { id, rawId: text(credential.rawId), type, response, clientExtensionResults: {} };
}

/** Waits for the browser; what it does not do within the time it was given is late. */
async function ask(options, question) {
  const began = performance.now();
  try {
    return JSON.stringify(toJson(await question));
  } catch (error) {
    if (error.name === "NotAllowedError" && performance.now() - began > options.timeout - 1000) throw new Refused("late");
    throw error;
  }
}

async function add(fields) {
  const { id, options } = await post("begin_registration", fields);
  const json = JSON.parse(options);
  const credential = await ask(json, navigator.credentials.create({ publicKey: toCreate(json) }));
  await post("finish_registration", { id, credential });
  return "/me/security?done=passkey";
}

async function signIn({ to }, how = {}, begun = post("begin_sign_in", {}), finish = "finish_sign_in") {
  const { id, options } = await begun;
  const json = JSON.parse(options);
  const credential = await ask(json, navigator.credentials.get({ publicKey: toGet(json), ...how }));
  return post(finish, { id, credential, ...(to && { to }) }).catch((error) => {
    const key = JSON.parse(credential).id;
    error.repeated = refused.has(key);
    refused.add(key);
    throw error;
  });
}

// The passkeys that did not get anybody in from this page.
const refused = new Set();

/** Completes a sign-in of which the first factor was shown. */
const complete = (fields) => signIn(fields, {}, post("begin_second", {}), "finish_second");

const DO = { add, "sign-in": signIn, second: complete };

const SAID = {
  NotAllowedError: "cancelled", InvalidStateError: "known", SecurityError: "unable", NotSupportedError: "unable",
  ConstraintError: "unable",
};

function say(form, error) {
  const line = form.querySelector("[data-passkey-said]");
  line.textContent = line.dataset[error.said ?? SAID[error.name] ?? "failed"] ?? line.dataset.failed;
}

const fieldsOf = (form) => Object.fromEntries(new FormData(form));

async function run(form) {
  const button = form.querySelector("button");
  if (button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  form.querySelector("[data-passkey-said]").textContent = "";
  // A browser asks one question at a time.
  waiting?.abort();
  try {
    location.assign(await DO[form.dataset.passkey](fieldsOf(form)));
  } catch (error) {
    say(form, error);
    button.removeAttribute("aria-busy");
    offer(true);
  }
}

// Beside the button, the browser offers passkeys where the name is typed, as long as the page is open.
let waiting, offeredOn, renewal;
const RENEW_MS = 4 * 60_000;

async function offer(again) {
  const form = document.querySelector('form[data-passkey="sign-in"]');
  if (!offered || (form === offeredOn && !again)) return;
  waiting?.abort();
  clearTimeout(renewal);
  offeredOn = form;
  if (!form || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  // The button was pressed meanwhile.
  if (form.querySelector("button[aria-busy]")) return;
  const { signal } = (waiting = new AbortController());
  // What was asked is soon too old to be answered.
  renewal = setTimeout(renew, RENEW_MS);
  try {
    // Nobody waits for this: without an answer of the shop it is not offered.
    const begun = await post("begin_sign_in", {}).catch(() => null);
    if (!begun || signal.aborted || !form.isConnected) return;
    location.assign(await signIn(fieldsOf(form), { mediation: "conditional", signal }, begun));
  } catch (error) {
    if (!(error instanceof Refused)) return;
    say(form, error);
    // A device that needs no touch would hand over the same passkey for ever.
    if (!error.repeated) offer(true);
  }
}

function renew() {
  if (document.hidden) addEventListener("visibilitychange", renew, { once: true });
  else offer(true);
}

if (offered) {
  addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-passkey]");
    if (!form) return;
    event.preventDefault();
    run(form);
  });
  // The client tells of a page that it built.
  addEventListener("passkeys", () => offer());
  offer();
}
