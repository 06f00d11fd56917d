using System.Text.RegularExpressions;
using LServe.Sessions;
using LServe.Stores.AzureBlob;

namespace LServe.Silo;

/// <summary>A store that several servers share, by <c>--store azure=CONNECTION</c>.</summary>
internal static partial class SharedStore
{
    private const string Azure = "azure=";

    /// <exception cref="StartException">The option can't be read, or the store not be used. Never shows the connection.</exception>
    public static async Task<(ISessionStore Sessions, IKvPageStore Pages)> OpenAsync(SiloOptions options)
    {
        var store = await OpenAsync(new AzureBlobOptions
        {
            Connection = ConnectionOf(options.Store!),
            Container = options.StoreContainer ?? AzureBlobOptions.DefaultContainer,
            KeepTurns = options.KeepTurns,
        });
        return (store.Sessions, store.Pages);
    }

    private static async Task<AzureBlobStore> OpenAsync(AzureBlobOptions options)
    {
        try
        {
            return await AzureBlobStore.OpenAsync(options);
        }
        catch (SessionStoreException problem)
        {
            throw new StartException($"{problem.Message} (--store azure=CONNECTION or azure=VARIABLE says which.)", problem);
        }
    }

    /// <summary>A connection has signs that no variable's name has, so that both may stand in the same place.</summary>
    private static string ConnectionOf(string option)
    {
        if (!option.StartsWith(Azure, StringComparison.Ordinal) || option.Length == Azure.Length)
            throw new StartException("--store must be azure=CONNECTION, or azure=VARIABLE with the name of the environment variable that has it.");
        var connection = option[Azure.Length..];
        if (!VariableName().IsMatch(connection)) return connection;
        return Environment.GetEnvironmentVariable(connection) is { Length: > 0 } value
            ? value
            : throw new StartException($"--store names the environment variable {connection}, which isn't set.");
    }

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]*\z")]
    private static partial Regex VariableName();
}
