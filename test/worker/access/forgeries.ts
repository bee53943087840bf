import { generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from "jose"
import {
  ALL_GRANTS,
  AUDIENCE,
  base64url,
  fromBase64url,
  ISSUER,
  type Issuer,
  seconds,
} from "../../support/issuer.ts"

/** A token that no edge may take, and what is wrong with it. */
export type Forgery = readonly [what: string, token: string]

const CLAIMS = () => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: "eve",
  grants: ALL_GRANTS,
  iat: seconds(),
  exp: seconds() + 600,
})

function compact(header: unknown, claims: unknown, signature: string): string {
  return `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}.${signature}`
}

/** Every kind of forgery that the literature of tokens knows, each in many forms. */
export async function forgeries(issuer: Issuer): Promise<Forgery[]> {
  const kinds = await Promise.all([
    unsigned(issuer),
    signedWithPublicKeys(issuer),
    signedByOthers(issuer),
    ofOtherAlgorithms(issuer),
    withOtherClaims(issuer),
    withOtherHeaders(issuer),
    damaged(issuer),
  ])
  return kinds.flat()
}

async function unsigned(issuer: Issuer): Promise<Forgery[]> {
  const [, , signature = ""] = (await issuer.token("eve")).split(".")
  const algorithms = ["none", "None", "NONE", "nOnE", "none ", "", null, undefined, 0, [], ["ES256"], {}]
  const signatures = ["", signature, "AAAA", base64url(new Uint8Array(64))]
  return algorithms.flatMap((alg) =>
    signatures.map(
      (signed, n): Forgery => [
        `alg ${JSON.stringify(alg)}, signature ${n}`,
        compact({ alg, kid: "ec" }, CLAIMS(), signed),
      ],
    ),
  )
}

/** What verifies is public. It is no secret to sign with, whatever the header says. */
async function signedWithPublicKeys(issuer: Issuer): Promise<Forgery[]> {
  const texts = [
    ...issuer.pems.flatMap((pem) => [pem, pem.trim(), `${pem}\n`]),
    ...issuer.keys.map((key) => JSON.stringify(key)),
    ...issuer.keys.map((key) => String(key.x ?? key.n)),
    "secret",
    "null",
  ]
  const secrets = [...texts.map((text) => new TextEncoder().encode(text)), new Uint8Array(32)]
  const made = secrets.flatMap((secret, n) =>
    (["HS256", "HS384", "HS512"] as const).flatMap((alg) =>
      ["ec", "rsa", "ed", "s", undefined].map(async (kid): Promise<Forgery> => {
        const head = base64url(JSON.stringify({ alg, kid }))
        const signed = `${head}.${base64url(JSON.stringify(CLAIMS()))}`
        const hash = `SHA-${alg.slice(2)}`
        const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash }, false, ["sign"])
        const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(signed))
        return [`${alg} by public text ${n}, kid ${kid}`, `${signed}.${base64url(new Uint8Array(mac))}`]
      }),
    ),
  )
  return Promise.all(made)
}

async function signedByOthers(issuer: Issuer): Promise<Forgery[]> {
  const made: Promise<Forgery>[] = []
  for (const alg of ["ES256", "RS256", "EdDSA"]) {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
    const jwk = await crypto.subtle.exportKey("jwk", publicKey)
    const headers: [string, object][] = [
      ["the same kid", {}],
      ["no kid", { kid: undefined }],
      ["kid of another key", { kid: "rsa" }],
      ["kid that is a path", { kid: "../../../../dev/null" }],
      ["kid that is SQL", { kid: "' UNION SELECT 'AAAA" }],
      ["kid that is a number", { kid: 0 }],
      ["kid that is empty", { kid: "" }],
      ["kid of the prototype", { kid: "__proto__" }],
      ["its own key in the header", { jwk }],
      ["the address of its keys", { jku: "https://evil.example/keys" }],
      ["the address of a certificate", { x5u: "https://evil.example/cert" }],
      ["a certificate", { x5c: [base64url("certificate")] }],
    ]
    const kid = { ES256: "ec", RS256: "rsa", EdDSA: "ed" }[alg]
    for (const [what, header] of headers) {
      const all = { alg, kid, ...header } as JWTHeaderParameters // whatever a forger writes
      const sign = new SignJWT(CLAIMS()).setProtectedHeader(all)
      made.push(sign.sign(privateKey).then((token): Forgery => [`${alg} of another key, ${what}`, token]))
    }
  }
  const [head, , signature] = (await issuer.token("ada")).split(".")
  const swapped: Forgery = ["claims exchanged", `${head}.${base64url(JSON.stringify(CLAIMS()))}.${signature}`]
  return [...(await Promise.all(made)), swapped]
}

/** Signed well, by an algorithm that the configuration does not list. */
async function ofOtherAlgorithms({ rsa, ec }: Issuer): Promise<Forgery[]> {
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", rsa.privateKey as CryptoKey)
  const made = ["RS384", "RS512", "PS256", "PS384", "PS512"].map(async (alg): Promise<Forgery> => {
    const name = alg.startsWith("PS") ? "RSA-PSS" : "RSASSA-PKCS1-v1_5"
    const size = Number(alg.slice(2))
    const algorithm = { name, hash: `SHA-${size}` }
    const key = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"])
    const signed = `${base64url(JSON.stringify({ alg, kid: "rsa" }))}.${base64url(JSON.stringify(CLAIMS()))}`
    const how = { name, saltLength: size / 8 }
    const bytes = await crypto.subtle.sign(how, key, new TextEncoder().encode(signed))
    return [`${alg}, not listed`, `${signed}.${base64url(new Uint8Array(bytes))}`]
  })
  const renamed = ["RS256", "ES384", "ES256K", "EdDSA", "es256", "ES256 "].map(
    async (alg): Promise<Forgery> => {
      const token = await new SignJWT(CLAIMS()).setProtectedHeader({ alg: "ES256" }).sign(ec.privateKey)
      const [, claims, signature] = token.split(".")
      return [
        `ES256 called ${alg}`,
        `${base64url(JSON.stringify({ alg, kid: "ec" }))}.${claims}.${signature}`,
      ]
    },
  )
  return Promise.all([...made, ...renamed])
}

/** Signed by the true key: only what they say is wrong. */
function withOtherClaims(issuer: Issuer): Promise<Forgery[]> {
  const now = seconds()
  const long = "x".repeat(257)
  const values: Record<string, readonly unknown[]> = {
    exp: [undefined, null, "", "9999999999", `${now + 600}`, "NaN", true, [], [now + 600], {}, 0, -1, 1,
      now - 31, now - 3600, 1e300, 1e21, 2 ** 53, 9_999_999_999, (now + 600) * 1000, now + 401 * 86_400],
    iss: [undefined, null, "", "https://issuer.example/", "https://ISSUER.example", "issuer.example", 1, {}, [],
      [ISSUER], `${ISSUER}.evil.example`, `${ISSUER} `],
    aud: [undefined, null, "", "https://edge.example/", "https://EDGE.example", 1, {}, [], [[AUDIENCE]], ["other"],
      `${AUDIENCE}.evil.example`, "*", [""]],
    sub: [undefined, null, "", 1, true, {}, [], ["eve"], long],
    jti: [null, "", 1, {}, [], long],
    iat: [null, "", `${now}`, true, {}, now + 3600, 1e300],
    nbf: [null, "", `${now}`, true, {}, now + 3600, 1e300],
    grants: [undefined, null, "", "**", 1, true, [], ["read"], { "**": "read" }, { "**": null }, { "**": ["all"] },
      { "**": [["read"]] }, { "**": { read: true } }, { "": ["read"] }, { "**": ["read", "write"] },
      { "**": ["READ"] }, { "**": ["read"], a: 1 }, { [long.repeat(2)]: ["read"] },
      Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`${n}`, ["read"]]))],
  } // biome-ignore format: a list to look over
  const made = Object.entries(values).flatMap(([claim, forms]) =>
    forms.map(async (value): Promise<Forgery> => {
      const claims = { ...CLAIMS(), [claim]: value } as JWTPayload
      return [
        `${claim} ${JSON.stringify(value)?.slice(0, 40)}`,
        await signText(issuer, JSON.stringify(claims)),
      ]
    }),
  )
  const texts = ["", "null", "[]", "1", `"text"`, "{", `{"exp":NaN}`, JSON.stringify([CLAIMS()])]
  const others = texts.map(async (text): Promise<Forgery> => [`claims ${text}`, await signText(issuer, text)])
  return Promise.all([...made, ...others])
}

/** The true key's signature over any text, which a library for tokens would not make. */
export async function signText({ ec }: Issuer, text: string, header: object = {}): Promise<string> {
  const signed = `${base64url(JSON.stringify({ alg: "ES256", kid: "ec", ...header }))}.${base64url(text)}`
  const how = { name: "ECDSA", hash: "SHA-256" }
  const bytes = await crypto.subtle.sign(how, ec.privateKey as CryptoKey, new TextEncoder().encode(signed))
  return `${signed}.${base64url(new Uint8Array(bytes))}`
}

async function withOtherHeaders(issuer: Issuer): Promise<Forgery[]> {
  const text = JSON.stringify(CLAIMS())
  const headers: object[] = [
    { crit: ["exp"], exp: 1 },
    { crit: ["unknown"], unknown: 1 },
    { crit: [] },
    { crit: "b64" },
    { crit: ["b64"], b64: false },
    { crit: ["b64"] },
    { crit: [1] },
    { crit: null },
    { kid: "other" },
    { kid: "rsa" },
  ]
  const made = headers.map(
    async (header): Promise<Forgery> => [
      `header ${JSON.stringify(header)}`,
      await signText(issuer, text, header),
    ],
  )
  const inner = await issuer.token("eve")
  const nested = [{ cty: "JWT" }, {}].map(
    async (header): Promise<Forgery> => ["nested", await signText(issuer, inner, header)],
  )
  const plain = `${base64url(`{"alg":"ES256","kid":"ec","crit":["b64"],"b64":false}`)}.${text}.AAAA`
  return [...(await Promise.all([...made, ...nested])), ["claims that are not encoded", plain]]
}

async function damaged(issuer: Issuer): Promise<Forgery[]> {
  const token = await issuer.token("eve")
  const [head = "", claims = "", signature = ""] = token.split(".")
  const parts = [head, claims, signature]
  const flipped = parts.flatMap((part, at) => {
    const bytes = fromBase64url(part)
    return Array.from({ length: 24 }, (_, n): Forgery => {
      const damagedBytes = bytes.slice()
      const place = Math.floor((n * bytes.length) / 24)
      damagedBytes[place] = (bytes[place] ?? 0) ^ (1 << (n % 8))
      return [`bit ${n} of part ${at}`, parts.with(at, base64url(damagedBytes)).join(".")]
    })
  })
  const cut = Array.from({ length: 24 }, (_, n): Forgery => {
    const length = Math.floor((n * token.length) / 24)
    return [`the first ${length} characters`, token.slice(0, length) || "-"]
  })
  const shapes = [
    `${head}.${claims}`,
    `${head}.${claims}.`,
    `.${claims}.${signature}`,
    `${head}..${signature}`,
    `${token}.${signature}`,
    `${token}.${claims}.${signature}`,
    `${head}.${claims}.${base64url(new Uint8Array(64))}`,
    `${head}.${claims}.${base64url(new Uint8Array(64).fill(255))}`,
    `${head}.${claims}.${signature}${signature}`,
    `${claims}.${head}.${signature}`,
    JSON.stringify({ protected: head, payload: claims, signature }),
    "..",
    "null",
    "x".repeat(9_000),
  ]
  return [...flipped, ...cut, ...shapes.map((shape, n): Forgery => [`shape ${n}`, shape])]
}
