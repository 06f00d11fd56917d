using Xunit.Abstractions;

namespace LServe.Tests.Crash;

public class CrashTests(ITestOutputHelper output)
{
    private const int Seed = 1;

    [Theory]
    [InlineData(30)]
    [InlineData(16, "--attention", "lserve", "--kv", "int8", "--sink", "16", "--local", "64", "--budget", "256")]
    [InlineData(16, "--attention", "lserve", "--kv", "int4", "--sink", "16", "--local", "64", "--budget", "256")]
    public async Task KilledAnywhereTheServerLosesNoAcknowledgedTurnAndSaysNoWrongToken(int kills, params string[] options)
    {
        var report = await new CrashRun(kills, Seed, options).RunAsync();

        output.WriteLine(report.ToString());
        Assert.True(report is { Cut: > 0 } && report.Acknowledged > kills / 2, $"The kills missed the work: {report}");
        Assert.NotEmpty(report.AtPoints);
    }
}
