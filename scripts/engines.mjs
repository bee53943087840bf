import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"
import { findChromium } from "./browser.mjs"

/*
 * The browsers that `npm run test:browsers` can run the client in: whatever of them this machine has.
 */

/** @typedef {"chromium" | "firefox" | "webkit"} EngineName */

const FIREFOX_NAMES = ["firefox-esr", "firefox"]
const FIREFOX_PLACES = ["/Applications/Firefox.app/Contents/MacOS/firefox"]
const WEBKIT_LIBRARIES = [
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
  "/usr/lib64",
  "/usr/libexec",
]
const WEBKIT_VERSIONS = ["webkit2gtk-4.1", "webkitgtk-6.0", "webkit2gtk-4.0"]

/** What WebKitGTK needs beside itself: it has no mode without a display. */
const WEBKIT_TOOLS = ["WebKitWebDriver", "xvfb-run", "dbus-run-session"]

/**
 * The engines, and how to get each on Debian.
 *
 * @type {readonly { name: EngineName, title: string, isThere: () => boolean, packages: string }[]}
 */
export const ENGINES = [
  {
    name: "chromium",
    title: "Chromium",
    isThere: () => findChromium() !== undefined,
    packages: "chromium",
  },
  {
    name: "firefox",
    title: "Firefox",
    isThere: () => findFirefox() !== undefined,
    packages: "firefox-esr",
  },
  {
    name: "webkit",
    title: "WebKitGTK",
    isThere: () =>
      findMiniBrowser() !== undefined && WEBKIT_TOOLS.every((tool) => inPath([tool]) !== undefined),
    packages: "webkit2gtk-driver xvfb xauth dbus",
  },
]

/** @returns {string | undefined} its path */
export function findFirefox() {
  const { FIREFOX_PATH } = process.env
  if (FIREFOX_PATH !== undefined && FIREFOX_PATH !== "") return FIREFOX_PATH
  return FIREFOX_PLACES.find(existsSync) ?? inPath(FIREFOX_NAMES)
}

/**
 * The browser that comes with WebKitGTK to try it.
 *
 * @returns {string | undefined} its path
 */
export function findMiniBrowser() {
  return WEBKIT_LIBRARIES.flatMap((library) =>
    WEBKIT_VERSIONS.map((version) => join(library, version, "MiniBrowser")),
  ).find(existsSync)
}

/** @param {readonly string[]} names */
function inPath(names) {
  const { PATH = "" } = process.env
  return PATH.split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find(existsSync)
}
