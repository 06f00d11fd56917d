using System.Globalization;
using System.Text.Json;
using LServe.Tests.Crash;

// LServe.Crash.Tests --kills N [--seed N] [--out FILE] [--commit HASH] [options of the server]: fails at the first broken promise.
const int defaultKills = 1000;
var (kills, seed, file, commit, rest) = (defaultKills, 1, (string?)null, "unknown", new List<string>());
for (var i = 0; i < args.Length; i++)
    switch (args[i])
    {
        case "--kills": kills = int.Parse(args[++i], CultureInfo.InvariantCulture); break;
        case "--seed": seed = int.Parse(args[++i], CultureInfo.InvariantCulture); break;
        case "--out": file = args[++i]; break;
        case "--commit": commit = args[++i]; break;
        default: rest.Add(args[i]); break;
    }

var began = TimeProvider.System.GetTimestamp();
var report = await new CrashRun(kills, seed, rest).RunAsync(done =>
{
    if (done % 20 == 0) Console.Error.WriteLine($"{done} of {kills} kills");
});
var document = new
{
    command = "crash " + string.Join(' ', args), commit, date = TimeProvider.System.GetUtcNow().ToString("u", CultureInfo.InvariantCulture),
    cores = Environment.ProcessorCount, seconds = (int)TimeProvider.System.GetElapsedTime(began).TotalSeconds, seed, report,
};
var text = JsonSerializer.Serialize(document, new JsonSerializerOptions { WriteIndented = true });
Console.WriteLine(text);
if (file is not null) File.WriteAllText(file, text + "\n");
