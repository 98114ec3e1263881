/** The one file of blessed-contrib that is used: its line chart draws itself on a canvas context that we give it. */
declare module 'blessed-contrib/lib/widget/charts/line.js' {
  const Line: import('./history-chart.js').LineChartConstructor;
  export default Line;
}
