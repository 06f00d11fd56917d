namespace LServe.Silo;

/// <summary>The folder for the server's files.</summary>
internal static class DataFolder
{
    /// <summary>Makes the folder if need be and tries to write into it, so that a mistake shows at start and not hours later.</summary>
    /// <exception cref="StartException">The folder can't be written.</exception>
    public static void Check(string? folder)
    {
        if (folder is null)
            return;
        try
        {
            Directory.CreateDirectory(folder);
            using var probe = new FileStream(
                Path.Combine(folder, $".probe-{Environment.ProcessId}"), FileMode.Create, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            probe.WriteByte(0);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new StartException($"--data {folder} can't be written ({problem.Message}); name a folder that this user may write.", problem);
        }
    }
}
