namespace LServe.Tests.Simulation;

public sealed class SchedulerSimulationTests
{
    /// <summary>A failure names its seed; put it here to run it alone.</summary>
    [Fact]
    public void EveryAnswerIsTheOneOfItsOwnTokens()
    {
        long preemptions = 0;
        var ended = 0;
        for (var seed = 1; seed <= 150; seed++)
        {
            try
            {
                using var simulation = new SchedulerSimulation(seed);
                simulation.Run(actions: 600);
                preemptions += simulation.Preemptions;
                ended += simulation.Ended;
            }
            catch (Exception failure)
            {
                throw new Xunit.Sdk.XunitException($"seed {seed}: {failure}");
            }
        }
        Assert.True(preemptions > 50, $"only {preemptions} preemptions: the simulation doesn't reach what it is for");
        Assert.True(ended > 1000, $"only {ended} generations ended");
    }
}
