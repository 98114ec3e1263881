/** The one file of blessed-contrib that is used: its line chart draws on the canvas context that we give it. */
declare module 'blessed-contrib/lib/widget/charts/line.js' {
  const Line: { readonly prototype: { setData(this: object, series: readonly object[]): void } };
  export default Line;
}
