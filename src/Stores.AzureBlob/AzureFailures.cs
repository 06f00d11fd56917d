using Azure;
using Azure.Storage.Blobs.Models;
using LServe.Sessions;

namespace LServe.Stores.AzureBlob;

/// <summary>What the blob service reports, as the exception that callers of a store know. Retries are over by then.</summary>
internal sealed class AzureFailures(string host, string container)
{
    private const int Unauthorized = 401, Forbidden = 403, NotFound = 404, InsufficientStorage = 507;

    public async Task RunAsync(Func<Task> work) => await RunAsync(async () =>
    {
        await work();
        return true;
    });

    public async Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (RequestFailedException problem)
        {
            throw Of(problem);
        }
        catch (AggregateException problem) when (problem.InnerExceptions.All(inner => inner is RequestFailedException or OperationCanceledException or IOException))
        {
            throw problem.InnerExceptions[^1] is RequestFailedException { Status: not 0 } last ? Of(last) : Unreachable(problem);
        }
        catch (Exception problem) when (problem is IOException or HttpRequestException)
        {
            throw Unreachable(problem);
        }
        catch (OperationCanceledException problem) when (!problem.CancellationToken.IsCancellationRequested || problem.InnerException is TimeoutException)
        {
            throw Unreachable(problem);
        }
    }

    private SessionStoreException Of(RequestFailedException problem)
    {
        if (problem.Status == 0) return Unreachable(problem);
        if (problem.Status is Unauthorized or Forbidden)
            return Unavailable($"the blob store at {host} refuses this server ({Code(problem)}); check the account key or the shared access signature of --store.", problem);
        if (problem.ErrorCode == BlobErrorCode.ContainerNotFound || problem.ErrorCode == BlobErrorCode.ContainerBeingDeleted || problem.Status == NotFound)
            return Unavailable($"the container {container} at {host} doesn't exist or is being deleted; make it, or start the server again, which makes it.", problem);
        if (problem.Status == InsufficientStorage)
            return new(StoreFailure.Full, $"the blob store at {host} is full ({Code(problem)}); make room and send the turn again.", problem);
        return Unavailable($"the blob store at {host} failed ({Code(problem)}); send the turn again.", problem);
    }

    private SessionStoreException Unreachable(Exception problem)
    {
        var first = problem is AggregateException { InnerExceptions: [.., var last] } ? last : problem;
        return Unavailable($"the blob store at {host} can't be reached ({first.Message.Split('\n')[0].TrimEnd('.', '\r')}); check the address and the network.", problem);
    }

    private static string Code(RequestFailedException problem) => $"{problem.Status} {problem.ErrorCode}".TrimEnd();

    private static SessionStoreException Unavailable(string message, Exception problem) =>
        new(StoreFailure.Unavailable, char.ToUpperInvariant(message[0]) + message[1..], problem);
}
