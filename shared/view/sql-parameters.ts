import type { EventData, EventSchemas } from "../events.ts"

/*
 * The parameters of a SQL text as types, so that a misspelt one does not compile. Texts that are not literals
 * (`string`, or a template with a `string` in it) say nothing and pass; `defineView` looks at them when it runs.
 */

/** The attributes of an event that a statement may name. */
export type EventAttribute =
  | "event_id"
  | "event_type"
  | "event_time"
  | "event_source"
  | "event_subject"
  | "event_stream"

/** The names behind `:` in a SQL text, outside of strings, quoted names and comments. */
export type SqlParameters<Sql extends string> = IsLiteral<Sql> extends true ? NamesIn<Sql, never> : never

/** The handlers as they are, where each parameter has a value; else a type that names what has none. */
export type CheckedHandlers<S extends EventSchemas, Handlers> = {
  readonly [Type in keyof Handlers]: Type extends keyof S
    ? CheckedTexts<Handlers[Type], FieldsOf<EventData<S, Type>>>
    : Refused<`the stream has no event type ${Type & string}`>
}

type CheckedTexts<Texts, Fields extends string> = Texts extends string
  ? CheckedText<Texts, Fields>
  : Texts extends readonly string[]
    ? { readonly [At in keyof Texts]: Texts[At] extends string ? CheckedText<Texts[At], Fields> : Texts[At] }
    : unknown

type CheckedText<Sql extends string, Fields extends string> = [Unfilled<SqlParameters<Sql>, Fields>] extends [
  never,
]
  ? Sql
  : Refused<`:${Unfilled<SqlParameters<Sql>, Fields>} is neither a field of the event's data nor one of its attributes`>

/** Those of the parameters, one by one, that nothing fills. What begins with `event_` is no field. */
type Unfilled<Name extends string, Fields extends string> = Name extends `event_${string}`
  ? Exclude<Name, EventAttribute>
  : Exclude<Name, Fields>

/** No text is one, so its message is in the compiler's error. */
export type Refused<Message extends string> = { readonly refused: Message }

/** The fields of an object, or those of any member of a union; `string` where there may be any. */
type FieldsOf<Data> = unknown extends Data
  ? string
  : Data extends readonly unknown[]
    ? never
    : Data extends object
      ? Spelled<keyof Data>
      : never

type Spelled<Key> = Key extends string | number ? `${Key}` : never

/** A type that is made of `string` is an index, which an object without fields fulfils. */
type IsLiteral<Text extends string> = Record<never, never> extends Record<Text, 1> ? false : true

type NamesIn<Sql extends string, Found extends string> = Sql extends `${infer Before}:${infer Behind}`
  ? FirstOpener<Before> extends infer Opener extends keyof Closers
    ? NamesIn<AfterQuote<Sql, Opener>, Found>
    : NamesIn<Behind, Found | NameOf<Behind, "">>
  : Found

/** What begins a part of SQL that is not looked into, and what ends it. */
type Closers = { "'": "'"; '"': '"'; "`": "`"; "[": "]"; "--": "\n"; "/*": "*/" }

/** The one that comes first: what stands before one of them is searched for the others. */
type FirstOpener<Text extends string> = Text extends `${infer Before}'${string}`
  ? Earlier<Before, "'">
  : Text extends `${infer Before}"${string}`
    ? Earlier<Before, '"'>
    : Text extends `${infer Before}\`${string}`
      ? Earlier<Before, "`">
      : Text extends `${infer Before}[${string}`
        ? Earlier<Before, "[">
        : Text extends `${infer Before}--${string}`
          ? Earlier<Before, "--">
          : Text extends `${string}/*${string}`
            ? "/*"
            : undefined

type Earlier<Before extends string, Opener extends keyof Closers> =
  FirstOpener<Before> extends infer First extends keyof Closers ? First : Opener

type AfterQuote<
  Sql extends string,
  Opener extends keyof Closers,
> = Sql extends `${string}${Opener}${infer Inside}`
  ? Inside extends `${string}${Closers[Opener]}${infer Behind}`
    ? Behind
    : ""
  : ""

type NameOf<Text extends string, Name extends string> = Text extends `${infer Next}${infer Rest}`
  ? Next extends NameEnd
    ? Name
    : NameOf<Rest, `${Name}${Next}`>
  : Name

type NameEnd =
  | (
      | " "
      | "\n"
      | "\t"
      | "\r"
      | "\f"
      | ","
      | ";"
      | "."
      | "("
      | ")"
      | "["
      | "]"
      | "'"
      | '"'
      | "`"
      | ":"
      | "?"
      | "@"
    )
  | ("=" | "<" | ">" | "!" | "|" | "+" | "-" | "*" | "/" | "%" | "&" | "~" | "^" | "{" | "}" | "#" | "\\")
