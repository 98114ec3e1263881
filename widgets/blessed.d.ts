/* eslint-disable @typescript-eslint/consistent-type-imports -- an ambient module cannot import by a relative name */
/** The two files of blessed that are used, typed by our own narrow interfaces (blessed-shim.ts). */
declare module 'blessed/lib/widgets/screen.js' {
  const Screen: import('./blessed-shim.js').BlessedScreenConstructor;
  export default Screen;
}
declare module 'blessed/lib/widgets/box.js' {
  const Box: import('./blessed-shim.js').BlessedBoxConstructor;
  export default Box;
}
