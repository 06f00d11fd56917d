using Xunit.Abstractions;

namespace LServe.Tests.Crash;

public class CrashTests(ITestOutputHelper output)
{
    private const int Kills = 60, Seed = 1;

    [Fact]
    public async Task KilledAnywhereTheServerLosesNoAcknowledgedTurnAndSaysNoWrongToken()
    {
        var report = await new CrashRun(Kills, Seed, []).RunAsync();

        output.WriteLine(report.ToString());
        Assert.True(report is { Acknowledged: > Kills / 2, Cut: > 0 }, $"The kills missed the work: {report}");
        Assert.NotEmpty(report.AtPoints);
    }
}
