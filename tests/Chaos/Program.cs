using LServe.Tests.Chaos;

// LServe.Chaos.Tests [options of ChaosOptions]: fails at the first broken promise.
var options = ChaosOptions.Parse(args);
var report = await new ChaosRun(options, Console.Error.WriteLine).RunAsync();
// A connection may have a secret.
var shown = args.Select((argument, i) => i > 0 && args[i - 1] == "--postgres" ? "…" : Path.IsPathRooted(argument) ? Path.GetFileName(argument) : argument);
var files = new ChaosReportFiles(report, options, "chaos " + string.Join(' ', shown));
Console.WriteLine(files.Markdown);
if (options.Out is { } path) files.Write(path);
return report.Violations.Count == 0 ? 0 : 1;
