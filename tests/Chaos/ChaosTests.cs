using LServe.Tests.Support;
using Xunit.Abstractions;

namespace LServe.Tests.Chaos;

/// <summary>Short runs; Program.cs has long ones.</summary>
public class ChaosTests(ITestOutputHelper output)
{
    private const int Limit = 300_000;

    [AzuriteFact(Timeout = Limit)]
    public Task KilledSilosLoseNoAcknowledgedTurnAndDoubleNone() => RunAsync(drain: false);

    [AzuriteFact(Timeout = Limit)]
    public Task StoppedSilosLoseNothingEither() => RunAsync(drain: true);

    private async Task RunAsync(bool drain)
    {
        var options = new ChaosOptions
        {
            Duration = TimeSpan.FromSeconds(11), Sessions = 20, Silos = 2, KillSeconds = (4, 5), Think = TimeSpan.FromSeconds(1), Drain = drain,
        };
        var report = await new ChaosRun(options).RunAsync();

        output.WriteLine(new ChaosReportFiles(report, options, "test").Markdown);
        Assert.Empty(report.Violations);
        Assert.NotEmpty(report.Departures);
        Assert.True(report.Acknowledged > options.Sessions, "The silos went before anybody talked.");
    }
}

/// <summary>Skips where there is no Azurite.</summary>
public sealed class AzuriteFactAttribute : FactAttribute
{
    public AzuriteFactAttribute() => Skip = Azurite.Missing;
}
