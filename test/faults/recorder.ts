import { readIssuedOffset } from "../../shared/offset.ts"
import type { Report } from "./report.ts"

/** An event of the edge's log, as far as the recorder looks into it. */
export type Logged = { readonly id: string; readonly data: { readonly author: string; readonly n: number } }

/** What is wrong with a log, each as a sentence. */
export type Findings = {
  /** Flushed on a device, and not in the log; or left out between two that are. */
  readonly lost: readonly string[]
  readonly doubled: readonly string[]
  /** Before an earlier one of the same author. */
  readonly disordered: readonly string[]
  /** Confirmed at an offset that does not lie behind the event. */
  readonly misplaced: readonly string[]
  /** In the log although the device had refused it, or refused by the edge. */
  readonly refused: readonly string[]
}

/** The first of them all, for people. */
export function faultsIn(findings: Findings): string[] {
  return Object.entries(findings).flatMap(([kind, list]: [string, readonly string[]]) =>
    list.slice(0, FAULTS_SHOWN).map((fault) => `${kind}: ${fault}`),
  )
}

const FAULTS_SHOWN = 10

type Status = Extract<Report, { readonly kind: "status" }>

/** Twice what a client may take to find a dead connection and to be in step again, for busy machines. */
const REPORT_MS_MAX = 120_000

/** What one author was told. */
class Told {
  readonly flushed = new Set<number>()
  readonly refused = new Set<number>()
  readonly refusals: Extract<Report, { readonly kind: "refused" }>[] = []
  readonly confirmed: Extract<Report, { readonly kind: "confirmed" }>[] = []
  readonly rejected: Extract<Report, { readonly kind: "rejected" }>[] = []
  status: Status | undefined
  /** How many events are confirmed. */
  confirmedEvents = 0
}

/** Writes down what clients are told, and judges the edge's log by it. */
export class Recorder {
  readonly #told = new Map<string, Told>()
  readonly #waiting = new Set<() => void>()

  /** For the page: takes one report. */
  readonly take = (report: Report): void => {
    const told = this.of(report.author)
    switch (report.kind) {
      case "flushed":
        for (const n of numbers(report)) told.flushed.add(n)
        break
      case "confirmed":
        told.confirmed.push(report)
        told.confirmedEvents += report.count
        break
      case "refused":
        for (const n of numbers(report)) told.refused.add(n)
        told.refusals.push(report)
        break
      case "rejected":
        told.rejected.push(report)
        break
      case "status":
        told.status = report
    }
    for (const wake of [...this.#waiting]) wake()
  }

  of(author: string): Told {
    const told = this.#told.get(author) ?? new Told()
    this.#told.set(author, told)
    return told
  }

  /** The browser has lost all that it kept: what no edge has confirmed by now is expected nowhere any more. */
  forgetUnconfirmed(): void {
    for (const told of this.#told.values()) {
      const confirmed = told.confirmed.flatMap((report) => [...numbers(report)])
      told.flushed.clear()
      for (const n of confirmed) told.flushed.add(n)
    }
  }

  get authors(): readonly string[] {
    return [...this.#told.keys()]
  }

  /** How many events their devices have called flushed. */
  get flushed(): number {
    return [...this.#told.values()].reduce((sum, { flushed }) => sum + flushed.size, 0)
  }

  /** Resolves at the report that makes it true. Rejects when none does for longer than any fault may take. */
  until(isSo: () => boolean, ms = REPORT_MS_MAX): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = () => {
        this.#waiting.delete(wake)
        reject(new Error(`Not so after ${ms} ms: ${isSo}`))
      }
      const timer = setTimeout(late, ms)
      const wake = () => {
        if (!isSo()) return
        this.#waiting.delete(wake)
        clearTimeout(timer)
        resolve()
      }
      this.#waiting.add(wake)
      wake()
    })
  }

  /** Judges the whole log of a stream, by what those of its authors were told that reported here. */
  judge(log: readonly Logged[], authors: readonly string[] = this.authors): Findings {
    const places = new Map<string, number>()
    const last = new Map<string, number>()
    const findings = { lost: [], doubled: [], disordered: [], misplaced: [], refused: [] } as {
      [Kind in keyof Findings]: string[]
    }
    for (const [place, { data }] of log.entries()) {
      const name = `${data.author} ${data.n}`
      if (places.has(name)) findings.doubled.push(`${name} stands at ${places.get(name)} and ${place}`)
      else {
        const before = last.get(data.author) ?? -1
        if (data.n < before) findings.disordered.push(`${name} stands behind ${before}`)
        last.set(data.author, data.n)
        places.set(name, place)
      }
    }
    for (const author of authors)
      judgeAuthor(author, this.of(author), places, last.get(author) ?? -1, findings)
    return findings
  }
}

function judgeAuthor(
  author: string,
  told: Told,
  places: ReadonlyMap<string, number>,
  last: number,
  findings: { readonly [Kind in keyof Findings]: string[] },
): void {
  const end = [...told.flushed].reduce((most, n) => Math.max(most, n), last)
  for (let n = 0; n <= end; n++) {
    const [isThere, isFlushed, isRefused] = [
      places.has(`${author} ${n}`),
      told.flushed.has(n),
      told.refused.has(n),
    ]
    if (!isThere && isFlushed) findings.lost.push(`${author} ${n} was flushed`)
    else if (!isThere && !isRefused) findings.lost.push(`${author} ${n} is left out`)
    if (isThere && isRefused) findings.refused.push(`${author} ${n} was refused and is there`)
  }
  for (const { from, code } of told.rejected) findings.refused.push(`${author} ${from} was rejected: ${code}`)
  for (const { from, count, offset } of told.confirmed) {
    const place = places.get(`${author} ${from + count - 1}`)
    const behind = readIssuedOffset(offset)?.position
    if (place === undefined || behind === undefined || behind <= place)
      findings.misplaced.push(`${author} ${from + count - 1} stands at ${place}, confirmed at ${offset}`)
  }
}

function* numbers({ from, count }: { readonly from: number; readonly count: number }): Iterable<number> {
  for (let n = from; n < from + count; n++) yield n
}

/** The whole log of a stream, page by page, straight from the edge. */
export async function readLog(url: string): Promise<Logged[]> {
  const log: Logged[] = []
  for (let offset = "-1"; ; ) {
    const answer = await fetch(`${url}?offset=${offset}`)
    if (answer.status === 404) return log
    log.push(...((await answer.json()) as Logged[]))
    offset = answer.headers.get("stream-next-offset") ?? ""
    if (answer.headers.get("stream-up-to-date") === "true") return log
  }
}
