using LServe.Contracts;
using LServe.Sessions;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace LServe.Grains;

/// <summary>Lists what the store has, and asks the grains that are active what the store can't know.</summary>
[StatelessWorker]
[GrainType("session-list")]
internal sealed class SessionListGrain(SessionEnvironment environment) : Grain, ISessionListGrain
{
    /// <summary>Key of the one management grain.</summary>
    private const long Management = 0;

    public async Task<SessionListReply> ListAsync(int limit)
    {
        try
        {
            var stored = await environment.Store.ListAsync(this.GetPrimaryKeyString(), limit);
            var found = await Task.WhenAll(stored.Select(DescribeAsync));
            return new([.. found.OfType<SessionInfo>().Select(s => s with { Messages = [] })]);
        }
        catch (Exception failure)
        {
            return new([], WireEvents.ToError(failure));
        }
    }

    private async Task<SessionInfo?> DescribeAsync(SessionSummary stored)
    {
        var session = GrainFactory.GetSessionGrain(stored.Key);
        if (await GrainFactory.GetGrain<IManagementGrain>(Management).GetActivationAddress(session) is not null)
            return await session.DescribeAsync();
        return Session.Describe(stored);
    }
}
