using System.Globalization;
using LServe.Sessions;

namespace LServe.Stores.Local;

/// <summary>Keeps a second process out of a folder. The system lets go of it when the process ends, however it ends.</summary>
internal sealed class FolderLock : IDisposable
{
    private const string FileName = "lock";

    private readonly FileStream _file;

    private FolderLock(FileStream file) => _file = file;

    /// <exception cref="SessionStoreException">Another process has the folder, or it can't be written.</exception>
    public static FolderLock Take(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            Directory.CreateDirectory(folder);
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
            file.SetLength(0);
            file.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
            file.Flush();
            return new(file);
        }
        catch (IOException problem) when (IsTaken(problem))
        {
            throw new SessionStoreException(StoreFailure.Unavailable, $"the sessions in {folder} are in use by another process; stop it, or name another folder.", problem);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new SessionStoreException(StoreFailure.Unavailable, $"the folder {folder} can't be written ({problem.Message}); name one that this user may write.", problem);
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>A sharing violation has its own number on Windows; elsewhere it is the system's "try again".</summary>
    private static bool IsTaken(IOException problem)
    {
        const int sharingViolation = unchecked((int)0x80070020), wouldBlockLinux = 11, wouldBlockMac = 35;
        return problem.HResult is sharingViolation or wouldBlockLinux or wouldBlockMac;
    }
}
