import { expect, test } from "vitest"
import { isWebKit } from "../../client/thread/is-webkit.ts"

const LIKE_GECKO = "AppleWebKit/605.1.15 (KHTML, like Gecko)"

test.each([
  [true, `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${LIKE_GECKO} Version/18.0 Safari/605.1.15`],
  [
    true,
    `Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) ${LIKE_GECKO} CriOS/130.0 Mobile/15E148 Safari/604.1`,
  ],
  [true, `Mozilla/5.0 (X11; Linux x86_64) ${LIKE_GECKO} Version/17.0 Safari/605.1.15`],
  [
    false,
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36",
  ],
  [
    false,
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0 Safari/537.36",
  ],
  [false, "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"],
  [false, undefined],
])("[ENGINE1] WebKit is told from engines that carry its name: %s", (is, userAgent) => {
  expect(isWebKit(userAgent ?? "")).toBe(is)
})
